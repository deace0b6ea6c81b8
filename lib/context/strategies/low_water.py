"""Leaving out seldom and much: low_water.

The rule: nothing is left out until a request would pass the budget; then whole oldest exchanges are, down to the low mark
in one step, and every later request begins at that cut until one would pass the budget again. So its beginning stays the
same for many turns, and prompt caches keep working.

The cut is worked out from the conversation alone, by walking over its turns as if these settings had been there from the
start. It is not remembered from the request before: so a replay, a second process, a restarted app, a fork and an imported
conversation all come to the same cut, and nothing has to be stored, migrated or kept right when turns are replaced. The
price is that changing the window, the system prompt, a pin or a mute may move the cut once, which changes the beginning of
the request only where the change itself does not.

A walk goes from cut to cut, not from turn to turn, and is kept beside the counts of the history: the next decision goes on
where it ended, and one about an earlier turn looks up the cut of that turn.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import NamedTuple

from lib.context.exchanges import Exchanges, first_true
from lib.context.plan import Run
from lib.context.strategies.options import TrimOptions
from lib.context.strategies.stateless import cut_at

WALKS_KEPT = 16
"""Walks remembered for one history, the ones used last. Each is for one budget, one set of pins and mutes, one size of the
system prompt."""
_remembering = threading.Lock()


class WaterMarks(NamedTuple):
    """Limits of a request in tokens: before the first cut, after it, and what a cut goes down to."""

    first: int
    later: int
    low: int


class Cut(NamedTuple):
    """From the request of exchange `turn` on, everything before exchange `at` is left out."""

    turn: int
    at: int


def low_water(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """Everything from the standing cut on."""
    return cut_at(exchanges, standing_cut(exchanges, WaterMarks(budget, budget, options.low(budget))), budget)


def standing_cut(exchanges: Exchanges, marks: WaterMarks) -> int:
    """The exchange with which this request begins. O(log n) once the history before it was walked over."""
    if not exchanges.count:
        return 0
    cut = _walk(exchanges, marks).cut_before(exchanges, exchanges.stored)
    if exchanges.size(cut) <= (marks.later if cut else marks.first):
        return cut
    newest = exchanges.count - 1
    return exchanges.first_fitting(min(cut + 1, newest), exchanges.size, marks.low, newest)


def _walk(exchanges: Exchanges, marks: WaterMarks) -> Walk:
    """The walk for these marks, pins and mutes, from the memory of the history."""
    memo = exchanges.candidates.totals.memo
    key = ("low_water", marks, exchanges.candidates.preamble, exchanges.candidates.preamble_tokens, exchanges.chosen)
    with _remembering:
        walk: Walk = memo.pop(key, None) or Walk(marks)
        memo[key] = walk  # used last, so it comes last
        if len(memo) > WALKS_KEPT:
            del memo[next(iter(memo))]
    return walk


class Walk:
    """The cuts of one conversation under one set of marks, as far as they are known. Safe to share between threads."""

    def __init__(self, marks: WaterMarks) -> None:
        self._marks = marks
        self._cuts = [Cut(0, 0)]
        self._walked = 0  # exchanges whose requests are decided
        self._lock = threading.Lock()

    def cut_before(self, exchanges: Exchanges, turn: int) -> int:
        """The cut that stood when this exchange began: the one of the last request before it."""
        with self._lock:
            if self._walked < turn:
                self._go_on(exchanges, turn)
            return self._cuts[bisect_left(self._cuts, (turn,)) - 1].at if turn else 0

    def _go_on(self, exchanges: Exchanges, stop: int) -> None:
        """Walk over the requests of the exchanges up to `stop` (not included)."""
        turn, cut = self._walked, self._cuts[-1].at
        while turn < stop:
            turn = self._first_over(exchanges, cut, turn, stop)
            while turn < stop and exchanges.is_muted(turn):  # replaced since: its request is not asked again
                turn += 1
            if turn < stop:
                if cut < turn:
                    cut = self._cut_for(exchanges, turn, cut)
                    self._cuts.append(Cut(turn, cut))
                turn += 1
        self._walked = stop

    def _first_over(self, exchanges: Exchanges, cut: int, turn: int, stop: int) -> int:
        """The first exchange, from this one on, whose request would pass the limit with this cut; `stop` where none does."""
        limit = self._marks.later if cut else self._marks.first
        return first_true(turn, stop, lambda at: exchanges.size_at(cut, at) > limit)

    def _cut_for(self, exchanges: Exchanges, turn: int, cut: int) -> int:
        """Where a request that passed the limit is cut: at the low mark, or before its own message."""
        return exchanges.first_fitting(cut + 1, lambda at: exchanges.size_at(at, turn), self._marks.low, turn)
