"""Lists what a request decided for each message, and how it differs from the request before.

Everything is read from a turn's record or a plan, and the stored history; nothing is planned again. Sizes are tokens by
one counter. Checking that a request is the one that was sent is in lib/chat/service.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.analysis.replay import reusable_tokens, sent_ranges
from lib.analysis.requests import MessageSizes, PlainRun, RequestRecord, summary_of
from lib.analysis.runs import range_at
from lib.context.candidates import Summary
from lib.context.plan import ContextPlan, ContextWindow
from lib.context.reasons import Reason
from lib.messages import Message, system
from lib.tokens import Provenance, TokenCounter
from lib.turns import PlanSummary, Turn

SHORTFALL: dict[Provenance, float] = {
    "billed": 0.95,
    "counted": 0.95,
    "reconstructed": 0.85,
    "assumed": 0.6,
    "estimated": 0.4,
}
"""Below this share of our own count, we assume the server dropped messages. Looser for less exact counters."""
SMALLEST_SHORTFALL = 40
"""Tokens; a smaller gap may come from a chat template that differs from the one we assume."""


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

    `window` is None if none was recorded; `between(start, stop)` gives the tokens of a range of messages.
    """

    preamble: tuple[PreambleMessage, ...]
    runs: tuple[PlainRun, ...]
    total: int
    message: Callable[[int], Message]
    between: Callable[[int, int], int]
    template: int
    counter: TokenCounter
    window: ContextWindow | None = None

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
    runs = tuple(
        (start, min(stop, record.at + 1), included, reason)
        for start, stop, included, reason in record.runs
        if start <= record.at
    )
    return RequestView(
        preamble,
        runs,
        record.at + 1,
        history.__getitem__,
        sizes.between,
        sizes.parts(record).template,
        sizes.counter,
        window,
    )


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
    skip = candidates.preamble
    return RequestView(
        tuple(preamble),
        PlanSummary.of(plan).runs,
        len(candidates) - skip,
        lambda at: candidates[at + skip],
        lambda start, stop: candidates.between(start + skip, stop + skip),
        plan.template_tokens,
        candidates.counter,
        plan.window,
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """One message, whether the request holds it, and why.

    `with_it` is the running total: tokens of a request with this message and everything after it except what is muted.
    Where it passes the budget, a strategy that keeps the newest messages starts to drop.
    """

    index: int
    message: Message
    tokens: int
    with_it: int
    included: bool
    reason: Reason


def decisions(view: RequestView, first: int = 0, stop: int | None = None) -> list[Decision]:
    """The decisions on messages first..stop (stop not included), in order; all by default. O(messages x runs)."""
    stop = view.total if stop is None else min(stop, view.total)
    muted = [(start, end) for start, end, _, reason in view.runs if reason == "muted"]
    found = []
    for start, end, included, reason in view.runs:
        for at in range(max(first, start), min(stop, end)):
            muted_tokens = sum(view.between(max(at, a), b) for a, b in muted if b > at)
            with_it = view.base + view.between(at, view.total) - muted_tokens
            found.append(Decision(at, view.message(at), view.between(at, at + 1), with_it, included, reason))
    return found


def fate_of(view: RequestView, index: int) -> tuple[bool, Reason] | None:
    """Whether the request holds a message, and why; None if the message came later."""
    run = range_at(view.runs, index)
    return None if run is None else (run[2], run[3])


IndexRanges = list[tuple[int, int]]
"""Ranges (start, stop) of stored indexes, stop excluded, in order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a request differs from the one before.

    `reusable` is the most tokens a prompt cache could return, `cached` what the server reported, or None.
    """

    entered: IndexRanges
    left: IndexRanges
    stayed: IndexRanges
    reusable: int
    cached: int | None
    broken_at: int | None
    """Stored index of the first message that differs; None if the request before is a prefix of this one."""


def difference(before: RequestRecord, now: RequestRecord, sizes: MessageSizes) -> Difference:
    """What changed from one request to the next."""
    old, new = sent_ranges(before), sent_ranges(now)
    entered = _minus(new, old)
    usage = now.turn.usage if now.turn is not None else None
    return Difference(
        entered,
        _minus(old, new),
        _minus(new, entered),
        reusable_tokens(before, now, sizes),
        None if usage is None else usage.cached_tokens,
        _broken_at(old, new),
    )


def dropped_at(records: Sequence[RequestRecord], index: int) -> RequestRecord | None:
    """The first request after a stored message that no longer holds it; None if all do."""
    later = (record for record in records if record.at > index)
    return next((record for record in later if range_at(sent_ranges(record), index) is None), None)


def shortfall(turn: Turn) -> int | None:
    """Tokens that we sent and the server did not read, if that is more than counters usually differ; else None.

    Some servers silently cut a request that is too long for them, and only this number shows it.
    """
    plan, read = turn.plan, turn.usage.input_tokens
    if plan is None or read is None:
        return None
    missing = plan.input_tokens - read
    return missing if missing > SMALLEST_SHORTFALL and read < SHORTFALL[plan.provenance] * plan.input_tokens else None


def _minus(these: IndexRanges, those: IndexRanges) -> IndexRanges:
    """Indexes of `these` that are not in `those`; both sorted. Example: [(0, 9)] minus [(2, 4)] -> [(0, 2), (4, 9)]"""
    found = []
    for start, stop in these:
        for a, b in those:
            if b <= start or a >= stop:
                continue
            if a > start:
                found.append((start, a))
            start = max(start, b)
        if start < stop:
            found.append((start, stop))
    return found


def _broken_at(old: IndexRanges, new: IndexRanges) -> int | None:
    for place, (start, stop) in enumerate(old):
        if place >= len(new):
            return start
        other_start, other_stop = new[place]
        if start != other_start:
            return min(start, other_start)
        if stop != other_stop and (place < len(old) - 1 or other_stop < stop):
            return min(stop, other_stop)
    return None
