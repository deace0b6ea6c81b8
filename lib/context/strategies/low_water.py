"""The strategy `low_water`: drop the oldest exchanges rarely, but many at a time.

Nothing is left out until a request would exceed the budget. Then the oldest exchanges are left out, down to the low
mark in one step, and every later request begins at that cut until one would exceed the budget again. The beginning of
the request thus stays the same for many turns, and prompt caches keep working.

The cut depends only on the conversation: it is found by walking through all turns as if these settings had been there
from the start. Nothing is stored from one request to the next, so a replay, a second process, a restarted app, a fork
and an imported conversation all get the same cut, and replacing a turn needs no bookkeeping. The price is that a change
of the window, the system prompt, a pin or a mute can move the cut once.

A walk jumps from cut to cut rather than from turn to turn. It is kept beside the token counts of the history, so the
next decision continues where the last one ended, and a decision about an earlier turn looks up that turn's cut.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import NamedTuple

from lib.context.exchanges import Exchanges, first_true
from lib.context.plan import Run
from lib.context.strategies.options import TrimOptions
from lib.context.strategies.stateless import cut_at, newest_that_fit

WALKS_KEPT = 16
"""How many walks are kept for one history, those used last. Each is for one budget, one set of pins and mutes, and one
size of the system prompt."""
_memo_lock = threading.Lock()


class WaterMarks(NamedTuple):
    """Limits in tokens: for requests before the first cut, for those after it, and for a request that is cut."""

    first: int
    later: int
    low: int


class Cut(NamedTuple):
    """From the request of exchange `turn` on, all exchanges before exchange `at` are left out."""

    turn: int
    at: int


def low_water(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """Send everything from the current cut on."""
    cut = standing_cut(exchanges, WaterMarks(budget, budget, batch_target(budget, options)))
    return cut_at(exchanges, cut, budget, newest_that_fit(exchanges, budget))


def batch_target(budget: int, options: TrimOptions) -> int:
    """Tokens down to which a batch is dropped."""
    return options.low(budget)


def standing_cut(exchanges: Exchanges, marks: WaterMarks) -> int:
    """The exchange with which this request begins. O(log n) once the walk has reached it."""
    if not exchanges.count:
        return 0
    cut = _walk(exchanges, marks).cut_before(exchanges, exchanges.stored)
    if exchanges.size(cut) <= (marks.later if cut else marks.first):
        return cut
    newest = exchanges.count - 1
    return exchanges.first_fitting(min(cut + 1, newest), exchanges.size, marks.low, newest)


def _walk(exchanges: Exchanges, marks: WaterMarks) -> Walk:
    """The walk for these marks, pins and mutes. It is kept in the memo of the history's totals."""
    memo = exchanges.candidates.totals.memo
    key = ("low_water", marks, exchanges.candidates.preamble, exchanges.candidates.preamble_tokens, exchanges.chosen)
    with _memo_lock:
        walk: Walk = memo.pop(key, None) or Walk(marks)
        memo[key] = walk  # the walk used last comes last
        if len(memo) > WALKS_KEPT:
            del memo[next(iter(memo))]
    return walk


class Walk:
    """The cuts of one conversation for one set of marks, up to some turn. Safe to share between threads."""

    def __init__(self, marks: WaterMarks) -> None:
        self._marks = marks
        self._cuts = [Cut(0, 0)]
        self._walked = 0  # number of exchanges whose requests are decided
        self._lock = threading.Lock()

    def cut_before(self, exchanges: Exchanges, turn: int) -> int:
        """The cut of the last request before this exchange."""
        with self._lock:
            if self._walked < turn:
                self._walk_to(exchanges, turn)
            return self._cuts[bisect_left(self._cuts, (turn,)) - 1].at if turn else 0

    def _walk_to(self, exchanges: Exchanges, stop: int) -> None:
        """Decide the requests of all exchanges before `stop`."""
        turn, cut = self._walked, self._cuts[-1].at
        while turn < stop:
            turn = self._first_over(exchanges, cut, turn, stop)
            while turn < stop and exchanges.is_muted(turn):  # replaced since, so its request does not count
                turn += 1
            if turn < stop:
                if cut < turn:
                    cut = self._cut_for(exchanges, turn, cut)
                    self._cuts.append(Cut(turn, cut))
                turn += 1
        self._walked = stop

    def _first_over(self, exchanges: Exchanges, cut: int, turn: int, stop: int) -> int:
        """The first exchange from `turn` on whose request exceeds the limit with this cut; `stop` if there is none."""
        limit = self._marks.later if cut else self._marks.first
        return first_true(turn, stop, lambda at: exchanges.size_at(cut, at) > limit)

    def _cut_for(self, exchanges: Exchanges, turn: int, cut: int) -> int:
        """The new cut of a request over the limit: where it meets the low mark, at the latest its own exchange."""
        return exchanges.first_fitting(cut + 1, lambda at: exchanges.size_at(at, turn), self._marks.low, turn)
