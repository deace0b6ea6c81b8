"""Works out what sending a conversation's questions again would take, before anything is sent.

Tokens are by the counter of the model that would answer. How long its replies will be is not known: the estimate takes
the stored ones, and the most is a reply of the whole reserve each time.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from lib.analysis.requests import MessageSizes, exchanges_of
from lib.chat_settings import ChatSettings
from lib.lab.bakeoff import Contestant, replay_one, run_of
from lib.messages import Message, Usage
from lib.pricing.costs import cost
from lib.pricing.model import Model
from lib.tokens import Provenance, TokenCounter


@dataclass(frozen=True, slots=True)
class ReplayEstimate:
    """Tokens of all requests and replies, and USD at list prices without a cache; None if no price is known.

    `unfit` requests do not fit the window, if the replies are as long as the stored ones.
    """

    requests: int
    sent: int
    reply: int
    provenance: Provenance
    unfit: int
    cost: Decimal | None
    most_cost: Decimal | None


def estimate(
    history: Sequence[Message], muted: Set[int], settings: ChatSettings, counter: TokenCounter, model: Model | None
) -> ReplayEstimate:
    """What a replay of this conversation with these settings takes. `muted` exchanges are not sent again."""
    asked = [
        range(start, stop)
        for start, stop in exchanges_of(history)
        if start not in muted and history[start].text.strip()
    ]
    kept = [history[at] for exchange in asked for at in exchange]
    sizes = MessageSizes(counter, kept)
    run = run_of(replay_one(kept, Contestant("replay", settings), sizes), None)
    prompts = [sizes.between(step.at, step.at + 1) for step in run.steps]
    most_sent, most_reply = _most(prompts, sizes.system_prompt(settings.system_prompt or None), settings, counter)
    return ReplayEstimate(
        len(run.steps),
        run.sent,
        run.reply,
        run.provenance,
        run.unfit,
        _price(model, run.sent, run.reply, len(run.steps)),
        _price(model, most_sent, most_reply, len(run.steps)),
    )


def _most(prompts: Sequence[int], system: int, settings: ChatSettings, counter: TokenCounter) -> tuple[int, int]:
    """Tokens in and out if every reply is as long as the reserve. No request is larger than the budget."""
    reserve, budget = settings.reply_tokens, settings.window.input_budget
    fixed = system + counter.template(system > 0)
    sent = (fixed + said + reserve * earlier for earlier, said in enumerate(accumulate(prompts)))
    return sum(min(budget, each) for each in sent), reserve * len(prompts)


def _price(model: Model | None, sent: int, reply: int, requests: int) -> Decimal | None:
    price = None if model is None else cost(model, Usage(sent, 0, 0, reply), requests=requests)
    return None if price is None else price.total
