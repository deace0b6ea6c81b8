"""Lists what a request decided for each message, and how it differs from the request before.

Everything is read from a turn's record or a plan, and the stored history; nothing is planned again. Sizes are tokens by
one counter. Checking that a request is the one that was sent is in lib/chat/service.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.analysis.replay import reusable_tokens, sent_in, sent_ranges
from lib.analysis.request_view import RequestView, fate_of
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.analysis.runs import range_at
from lib.context.reasons import Reason
from lib.messages import Message
from lib.tokens import Provenance
from lib.turns import Turn

SHORTFALL: dict[Provenance, float] = {
    "billed": 0.95,
    "counted": 0.95,
    "reconstructed": 0.85,
    "assumed": 0.6,
    "estimated": 0.4,
}
"""Below this share of our own count, we assume the server dropped messages. Looser for less exact counters."""
SINGLE_MESSAGES = ("source_trim", "none")
"""Strategies that decide about single messages rather than exchanges."""
SMALLEST_SHORTFALL = 40
"""Tokens; a smaller gap may come from a chat template that differs from the one we assume."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One message, whether the request holds it, and why.

    `with_it` is the running total: tokens of the request if it held this message's exchange and everything after it
    except what is muted. Where it passes the budget, a strategy that keeps the newest messages must drop.
    """

    index: int
    message: Message
    tokens: int
    with_it: int
    included: bool
    reason: Reason


def decisions(view: RequestView, first: int = 0, stop: int | None = None) -> list[Decision]:
    """The decisions on messages first..stop (stop not included), in order; all by default."""
    stop = view.total if stop is None else min(stop, view.total)
    total = running_totals(view)
    return [
        Decision(at, view.message(at), view.between(at, at + 1), total(at), included, reason)
        for start, end, included, reason in view.runs
        for at in range(max(first, start), min(stop, end))
    ]


def running_totals(view: RequestView) -> Callable[[int], int]:
    """A function that gives the running total at a message, as the view's strategy computes it.

    Strategies that keep exchanges whole compare whole exchanges, beside what they always send. The others
    (`source_trim`, `none`) compare single messages.
    """
    exchanges, preamble = view.exchanges, view.exchanges.candidates.preamble
    if view.strategy in SINGLE_MESSAGES:
        muted = [(start, stop) for start, stop, _, reason in view.runs if reason == "muted"]
        sent = sent_in(view.runs) if view.strategy == "source_trim" else []

        def by_message(at: int) -> int:
            before = sum(view.between(start, min(stop, at)) for start, stop in sent if start < at)
            without = sum(view.between(max(at, start), stop) for start, stop in muted if stop > at)
            return view.base + before + view.between(at, view.total) - without

        return by_message
    head = _head(view)

    def by_exchange(at: int) -> int:
        exchange = max(0, exchanges.holding(at + preamble))
        return exchanges.size(exchange, min(head, exchange))

    return by_exchange


def _head(view: RequestView) -> int:
    """How many of the first exchanges the strategy keeps at the beginning."""
    if view.strategy != "head_and_tail":
        return 0
    exchanges, head = view.exchanges, 0
    while head < exchanges.count:
        fate = fate_of(view, exchanges.start(head) - exchanges.candidates.preamble)
        if not exchanges.is_muted(head) and (fate is None or fate[1] != "pinned"):
            break
        head += 1
    return head


IndexRanges = list[tuple[int, int]]
"""Ranges (start, stop) of stored indexes, stop excluded, in order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a request differs from the one before.

    `reusable` are the tokens at the beginning that both requests share. `own_reply` are the tokens right after them
    that the server wrote itself when it answered the request before: a server that keeps what it wrote finds them in
    its cache as well. `cached` is what the server reported, or None.
    """

    entered: IndexRanges
    left: IndexRanges
    stayed: IndexRanges
    reusable: int
    own_reply: int
    cached: int | None
    broken_at: int | None
    """Stored index of the first message that differs; None if the request before is a prefix of this one."""


def difference(before: RequestRecord, now: RequestRecord, sizes: MessageSizes) -> Difference:
    """What changed from one request to the next."""
    old, new = sent_ranges(before), sent_ranges(now)
    entered = _minus(new, old)
    usage = now.turn.usage if now.turn is not None else None
    broken_at, reusable = _broken_at(old, new), reusable_tokens(before, now, sizes)
    is_continued = broken_at is None and before.at == (old[-1][1] - 1 if old else None) and reusable > 0
    reply = next((run for run in new if run[0] <= before.at < run[1]), None) if is_continued else None
    own_reply = 0 if reply is None else sizes.between(before.at + 1, min(reply[1], sizes.answered(before)))
    return Difference(
        entered,
        _minus(old, new),
        _minus(new, entered),
        reusable + min(sizes.opening(before), sizes.opening(now)) if reusable else 0,
        own_reply,
        None if usage is None else usage.cached_tokens,
        broken_at,
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
