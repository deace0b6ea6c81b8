"""A request as the pages show it: every message of the conversation up to it, as runs with one reason each.

Everything is read from a turn's record or a plan, and the stored history; nothing is planned again. Sizes are tokens by
one counter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.analysis.requests import MessageSizes, PlainRun, RequestRecord, muted_in, summary_of
from lib.analysis.runs import range_at
from lib.context import STRATEGIES
from lib.context.candidates import Summary
from lib.context.exchanges import Exchanges
from lib.context.plan import ContextPlan, ContextWindow
from lib.context.reasons import Reason
from lib.context.strategies.stateless import newest_that_fit
from lib.messages import Message, system
from lib.tokens import Provenance, TokenCounter
from lib.turns import PlanSummary


@dataclass(frozen=True, slots=True)
class PreambleMessage:
    """A message that is sent first but is not in the stored history: the system prompt or a summary."""

    name: str
    message: Message
    tokens: int
    summary: Summary | None = None


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request that was sent or comes next, over the messages 0..total of a conversation; the newest message is last.

    `window` and `strategy` are None if none was recorded; `between(start, stop)` gives the tokens of a range of
    messages. `batch_target` is that of the plan, in tokens.
    """

    preamble: tuple[PreambleMessage, ...]
    runs: tuple[PlainRun, ...]
    total: int
    message: Callable[[int], Message]
    between: Callable[[int, int], int]
    template: int
    counter: TokenCounter
    exchanges: Exchanges
    window: ContextWindow | None = None
    strategy: str | None = None
    batch_target: int | None = None
    same_counter: bool = True
    """Whether the sizes are by the counter that decided. If not, they may not add up to the decisions."""

    @property
    def provenance(self) -> Provenance:
        return self.counter.provenance

    @property
    def base(self) -> int:
        """Tokens that every request has: what the chat template adds, the system prompt and a summary."""
        return self.template + sum(preamble.tokens for preamble in self.preamble)

    @property
    def tokens(self) -> int:
        """Tokens of the whole request."""
        return self.base + sum(self.between(start, stop) for start, stop, included, _ in self.runs if included)

    @property
    def left_out_tokens(self) -> int:
        return sum(self.between(start, stop) for start, stop, included, _ in self.runs if not included)

    @property
    def sent(self) -> int:
        """How many messages of the conversation the request holds."""
        return sum(stop - start for start, stop, included, _ in self.runs if included)


def view_of_record(record: RequestRecord, sizes: MessageSizes, history: Sequence[Message]) -> RequestView:
    """The view of a request that was sent. Without a turn record, assume that everything was sent."""
    plan = record.turn.plan if record.turn is not None else None
    summary = None if plan is None else plan.summary
    texts = (("system prompt", record.system_prompt, None), ("summary", summary_of(record), summary))
    preamble = tuple(
        PreambleMessage(name, system(text), sizes.system_prompt(text), by)
        for name, text, by in texts
        if text is not None
    )
    window = None if plan is None else ContextWindow(plan.max_tokens, plan.reserved_for_reply)
    exchanges = sizes.exchanges(record)
    runs = tuple(
        (start, min(stop, record.at + 1), included, reason)
        for start, stop, included, reason in record.runs
        if start <= record.at
    )
    return RequestView(
        preamble,
        runs if plan is None else _with_batches(runs, plan, exchanges),
        record.at + 1,
        history.__getitem__,
        sizes.between,
        sizes.parts(record).template,
        sizes.counter,
        exchanges,
        window,
        None if plan is None else plan.strategy,
        None if plan is None else plan.batch_target,
        plan is None or plan.counter == sizes.counter.name,
    )


def _with_batches(runs: tuple[PlainRun, ...], plan: PlanSummary, exchanges: Exchanges) -> tuple[PlainRun, ...]:
    """The runs of a turn that was stored before batches had a reason of their own, with that reason.

    Unchanged where the turn was sized by another counter, because then it is not known what would have fitted.
    """
    strategy = STRATEGIES.get(plan.strategy)
    is_old = strategy is not None and strategy.batch_target is not None and plan.batch_target is None
    if not is_old or plan.counter != exchanges.candidates.counter.name:
        return runs
    budget = max(0, plan.max_tokens - plan.reserved_for_reply)
    fits_from = exchanges.start(newest_that_fit(exchanges, budget)) - exchanges.candidates.preamble
    split: list[PlainRun] = []
    for start, stop, included, reason in runs:
        middle = min(max(start, fits_from), stop) if reason == "over_budget" else stop
        split += [(start, middle, included, reason)] if start < middle else []
        split += [(middle, stop, included, "batch")] if middle < stop else []
    return tuple(split)


def view_of_plan(plan: ContextPlan) -> RequestView:
    """The view of a request that is planned and not sent yet."""
    candidates = plan.candidates
    preamble = []
    if candidates.system_prompt is not None:
        preamble.append(PreambleMessage("system prompt", candidates.system_prompt, candidates.system_tokens))
    if candidates.summary is not None:
        preamble.append(
            PreambleMessage("summary", candidates.summary.message, candidates.summary_tokens, candidates.summary)
        )
    skip, runs = candidates.preamble, PlanSummary.of(plan).runs
    return RequestView(
        tuple(preamble),
        runs,
        len(candidates) - skip,
        lambda at: candidates[at + skip],
        lambda start, stop: candidates.between(start + skip, stop + skip),
        plan.template_tokens,
        candidates.counter,
        Exchanges(candidates, muted_in(runs), plan.pinned),
        plan.window,
        plan.strategy,
        plan.batch_target,
    )


def fate_of(view: RequestView, index: int) -> tuple[bool, Reason] | None:
    """Whether the request holds a message, and why; None if the message came later."""
    run = range_at(view.runs, index)
    return None if run is None else (run[2], run[3])
