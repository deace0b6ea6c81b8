"""The view recorder: what a request decided, message by message, and how it differs from the one before.

The rule: everything is derived from a turn's own record, or from a plan, and the stored history; nothing is decided again.
Sizes are tokens of one counter. It leaves out drawing, and proving that a request is the one that was sent (lib/chat/service.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.analysis.replay import reused, sent_stretches
from lib.analysis.requests import MessageSizes, PlainRun, RequestRecord, summary_of
from lib.context.plan import ContextPlan, ContextWindow, Reason, Summary
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
"""A server that read less than this share of what was sent was not told everything: as far off as each counter may be."""
SMALLEST_SHORTFALL = 40
"""Tokens; a smaller gap is a template that differs from the one assumed."""


@dataclass(frozen=True, slots=True)
class PreambleMessage:
    """A message that is sent first and is not stored as one: the session's system prompt, or a summary."""

    name: str
    message: Message
    tokens: int
    summary: Summary | None = None


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request, sent or next, over the messages 0..total of a conversation; the new one is the last.

    `window` is None where nobody recorded one; `between` gives the tokens of a stretch of messages.
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
        """Tokens that go along whatever is chosen: the chat template's own, the system prompt, a summary."""
        return self.template + sum(preamble.tokens for preamble in self.preamble)

    @property
    def tokens(self) -> int:
        """The whole request."""
        return self.base + sum(self.between(start, stop) for start, stop, included, _ in self.runs if included)

    @property
    def left_out_tokens(self) -> int:
        return sum(self.between(start, stop) for start, stop, included, _ in self.runs if not included)

    @property
    def sent(self) -> int:
        """Messages of the conversation that it holds."""
        return sum(stop - start for start, stop, included, _ in self.runs if included)


def view_of_record(record: RequestRecord, sizes: MessageSizes, history: Sequence[Message]) -> RequestView:
    """A request that was sent. Where nobody recorded it: what a service that leaves nothing out would have sent."""
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
        (start, min(stop, record.at + 1), fate, why) for start, stop, fate, why in record.runs if start <= record.at
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
    """A request that is not sent yet."""
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
    """One message and what became of it. `with_it` is the size of the request if it held this message and everything after
    it but what is muted: where that passes the budget, a strategy that keeps the newest has to let go."""

    index: int
    message: Message
    tokens: int
    with_it: int
    included: bool
    reason: Reason


def decisions(view: RequestView, first: int = 0, stop: int | None = None) -> list[Decision]:
    """The messages first..stop (stop not included), in order; all by default. O(messages asked for x runs)."""
    stop = view.total if stop is None else min(stop, view.total)
    muted = [(start, end) for start, end, _, reason in view.runs if reason == "muted"]
    made = []
    for start, end, included, reason in view.runs:
        for at in range(max(first, start), min(stop, end)):
            silent = sum(view.between(max(at, a), b) for a, b in muted if b > at)
            with_it = view.base + view.between(at, view.total) - silent
            made.append(Decision(at, view.message(at), view.between(at, at + 1), with_it, included, reason))
    return made


def fate_of(view: RequestView, index: int) -> tuple[bool, Reason] | None:
    """Whether a message went along, and why; None where it came later."""
    return next(((fate, why) for start, stop, fate, why in view.runs if start <= index < stop), None)


Stretches = list[tuple[int, int]]
"""Stored indexes, start..stop (stop not included), in order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One request beside the one before it. `reusable` are tokens a prompt cache could give back, `cached` what the server
    says it did (None where it did not say)."""

    entered: Stretches
    left: Stretches
    stayed: Stretches
    reusable: int
    cached: int | None
    broken_at: int | None
    """Stored index of the first message that differs from the request before; None where that one is a prefix of this."""


def difference(before: RequestRecord, now: RequestRecord, sizes: MessageSizes) -> Difference:
    """What changed from one request to the next."""
    old, new = sent_stretches(before), sent_stretches(now)
    entered = _minus(new, old)
    usage = now.turn.usage if now.turn is not None else None
    return Difference(
        entered,
        _minus(old, new),
        _minus(new, entered),
        reused(before, now, sizes),
        None if usage is None else usage.cached_tokens,
        _broken_at(old, new),
    )


def dropped_at(records: Sequence[RequestRecord], index: int) -> RequestRecord | None:
    """The first request that left a stored message out although it was there: where the model forgot it. None: never."""
    later = (record for record in records if record.at > index)
    return next((record for record in later if not _holds(sent_stretches(record), index)), None)


def shortfall(turn: Turn) -> int | None:
    """Tokens that were sent and that the server does not say it read, where that is more than counters may differ; else None.

    Some servers cut a request that is too long for them without saying so; only this number shows it.
    """
    plan, read = turn.plan, turn.usage.input_tokens
    if plan is None or read is None:
        return None
    missing = plan.input_tokens - read
    return missing if missing > SMALLEST_SHORTFALL and read < SHORTFALL[plan.provenance] * plan.input_tokens else None


def _holds(stretches: Stretches, index: int) -> bool:
    return any(start <= index < stop for start, stop in stretches)


def _minus(these: Stretches, those: Stretches) -> Stretches:
    """Stretches of `these` that are not in `those`; both sorted. Example: [(0, 9)] minus [(2, 4)] -> [(0, 2), (4, 9)]"""
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


def _broken_at(old: Stretches, new: Stretches) -> int | None:
    for place, (start, stop) in enumerate(old):
        if place >= len(new):
            return start
        other_start, other_stop = new[place]
        if start != other_start:
            return min(start, other_start)
        if stop != other_stop and (place < len(old) - 1 or other_stop < stop):
            return min(stop, other_stop)
    return None
