"""What the next request of a chat will cost, before it is sent: at most, and if the provider's cache still has its
beginning.

The new message is not known yet, so its tokens come on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from lib.analysis.bills import cache_minimum
from lib.analysis.replay import sent_in
from lib.chat_settings import ChatSettings
from lib.context.candidates import Summary
from lib.context.plan import ContextPlan
from lib.messages import Usage
from lib.pricing.costs import cost, most_cost
from lib.pricing.model import Model
from lib.turns import PlanSummary, Turn

CACHE_SECONDS = 300.0
"""How long a prompt cache surely keeps what it read, as both vendors document (OpenAI 5 to 10 minutes, Anthropic 5)."""


@dataclass(frozen=True, slots=True)
class NextCost:
    """USD. `cached` is the cost if the cache still has `reused` tokens, with a reply of the whole reserve too; None
    where nothing can be reused or it would cost the same."""

    most: Decimal
    cached: Decimal | None = None
    reused: int = 0


def next_cost(
    plan: ContextPlan, settings: ChatSettings, model: Model, before: Turn | None, now: float
) -> NextCost | None:
    """The cost of this plan's request. `before` is the chat's last turn; `now` is seconds since the epoch.

    None if the model has no price.
    """
    most = most_cost(model, plan.input_tokens, settings.reply_tokens)
    if most is None:
        return None
    reused = 0 if before is None or not _may_hit(settings, before, now) else shared_tokens(plan, before)
    if reused < max(1, cache_minimum(model)):
        return NextCost(most)
    price = cost(model, Usage(plan.input_tokens, reused, 0, settings.reply_tokens))
    cached = None if price is None or price.total >= most else price.total
    return NextCost(most, cached, reused)


def _may_hit(settings: ChatSettings, before: Turn, now: float) -> bool:
    """Whether the last request went to the same model, not long ago."""
    same = before.provider == settings.provider and before.request.get("model", before.model) == settings.model
    return same and now - before.started_at - (before.duration_ms or 0) / 1000 < CACHE_SECONDS


def shared_tokens(plan: ContextPlan, before: Turn) -> int:
    """Tokens at the start of this plan's request that equal the request of that turn, message by message."""
    candidates, preamble = plan.candidates, plan.candidates.preamble
    own = "" if candidates.system_prompt is None else candidates.system_prompt.text
    if before.plan is None or (before.system_prompt or "") != own:
        return 0
    if _text(before.plan.summary) != _text(candidates.summary):
        return candidates.system_tokens
    tokens = candidates.preamble_tokens
    ranges = sent_in(PlanSummary.of(plan).runs)
    for (start, stop), (other_start, other_stop) in zip(sent_in(before.plan.runs), ranges, strict=False):
        if start != other_start:
            break
        tokens += candidates.between(start + preamble, min(stop, other_stop) + preamble)
        if stop != other_stop:
            break
    return tokens


def _text(summary: Summary | None) -> str:
    return "" if summary is None else summary.text
