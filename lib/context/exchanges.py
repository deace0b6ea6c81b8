"""Divides a conversation into exchanges and gives their sizes, for the strategies to choose from.

An exchange is a user message with everything up to the next one; it is sent or left out as a whole. What is always sent
(system messages, pins) and what never is (mutes, unpaired tool calls and results) is the same for every strategy, so it
is decided here. Sizes are tokens, and each takes O(log n).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection
from functools import cached_property
from itertools import accumulate

from lib.context.candidates import Candidates
from lib.context.plan import Run
from lib.context.reasons import Reason
from lib.context.runs import laid_over

Search = Callable[[int, int, Callable[[int], bool]], int]


def first_true(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first number from low to high (high excluded) for which `holds` is true; high if there is none.

    Once true, it must stay true for larger numbers. O(log distance from low), because the next cut is usually near the
    last one.
    """
    step = 1
    while low + step <= high and not holds(low + step - 1):
        low += step
        step *= 2
    return bisect_left(range(low, min(high, low + step - 1)), True, key=holds) + low


def first_true_from_end(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Like `first_true`, but O(log distance from high), because the exchanges that fit are usually near the newest."""
    step = 1
    while high - step >= low and holds(high - step):
        high -= step
        step *= 2
    return bisect_left(range(max(low, high - step + 1), high), True, key=holds) + max(low, high - step + 1)


class Exchanges:
    """The exchanges of these candidates, numbered from 0. The new message begins the last one.

    `muted` and `pinned` are stored indexes of user messages. An exchange in both is muted, because a replaced message
    must not come back only because its first version was pinned.
    """

    def __init__(self, candidates: Candidates, muted: Collection[int] = (), pinned: Collection[int] = ()) -> None:
        self.candidates = candidates
        self._totals = candidates.totals
        self._size = len(candidates.history)  # the totals may know more messages
        self._positions = self._totals.user_positions
        self.stored = bisect_left(self._positions, self._size)
        self.count = self.stored + (candidates.prompt is not None)
        self.chosen = frozenset(muted), frozenset(pinned)
        """What the person muted and pinned, as two sets of stored indexes."""
        self.muted = self._numbers(self.chosen[0])
        self.pinned = self._numbers(self.chosen[1] - self.chosen[0])
        self._end = self._totals.optional_upto(self._size)
        self._muted_tokens = self._sums(self.muted)
        self._pinned_tokens = self._sums(self.pinned)
        counter = candidates.counter
        self.template = counter.template(False), counter.template(True)
        self.fixed = candidates.preamble_tokens + self._totals.system_upto(self._size)
        """Tokens of the system prompt, the summary and all system messages, which are always sent."""

    def start(self, exchange: int) -> int:
        """The position of its first message. For `count`, the position after the last candidate."""
        if exchange < self.stored:
            return self._positions[exchange] + self.candidates.preamble
        return len(self.candidates) - (self.count - exchange if self.candidates.prompt is not None else 0)

    def holding(self, position: int) -> int:
        """The exchange that holds the candidate at this position; -1 before the first one."""
        index = position - self.candidates.preamble
        if index >= self._size:
            return self.count - 1
        return bisect_right(self._positions, index, 0, self.stored) - 1

    def first_from(self, position: int) -> int:
        """The first stored exchange that begins at or after this position."""
        return bisect_left(self._positions, position - self.candidates.preamble, 0, self.stored)

    def ended_by(self, position: int) -> int:
        """How many stored exchanges end at or before this position."""
        exchange = self.first_from(position)
        return exchange if exchange and self.start(exchange) <= position else max(0, exchange - 1)

    def numbered(self, unmuted: int) -> int:
        """The exchange with this many unmuted exchanges before it; `count` if there are fewer."""
        exchange = first_true_from_end(0, self.count, lambda number: self.unmuted(number + 1) > unmuted)
        return min(exchange, self.count)

    def unmuted(self, exchange: int) -> int:
        """How many of the exchanges before this one are not muted."""
        return exchange - bisect_left(self.muted, exchange)

    def is_muted(self, exchange: int) -> bool:
        index = bisect_left(self.muted, exchange)
        return index < len(self.muted) and self.muted[index] == exchange

    def exchanges(self, start: int, stop: int) -> int:
        """Tokens that these exchanges add to a request: without muted ones and without system messages."""
        muted = self._between(self.muted, self._muted_tokens, start, stop)
        return self._upto(stop) - self._upto(start) - muted

    def size(self, cut: int, head: int = 0) -> int:
        """Tokens of a whole request that holds the first `head` exchanges, those from `cut` on, and the pins."""
        pins = self._between(self.pinned, self._pinned_tokens, head, cut)
        messages = self.fixed + self.exchanges(0, head) + pins + self.exchanges(cut, self.count)
        first = 0 if self.unmuted(head) else cut
        return messages + self.template[first >= self.system_first]

    def size_at(self, cut: int, turn: int) -> int:
        """Tokens of the request that was sent when stored exchange `turn` began: from `cut` to its user message.

        For a muted exchange, its own message is not counted. The size never shrinks as `turn` grows.
        """
        position = self._positions[turn]
        own = 0 if self.is_muted(turn) else self._totals.sums[position + 1] - self._totals.sums[position]
        pins = self._between(self.pinned, self._pinned_tokens, 0, cut)
        instructions = self.candidates.preamble_tokens + self._totals.system_before[turn]
        return instructions + pins + self.exchanges(cut, turn) + own + self.template[cut >= self.system_first]

    @cached_property
    def system_first(self) -> int:
        """The first cut at which the request begins with a system message; more than `count` if there is none."""
        if self.candidates.preamble:
            return 0
        systems = self._totals.system_positions
        first = systems[0] if systems and systems[0] < self._size else None
        if first is None or (self.pinned and self._positions[self.pinned[0]] < first):
            return self.count + 1
        exchange = bisect_left(self._positions, first, 0, self.stored)
        while exchange and self.is_muted(exchange - 1):
            exchange -= 1
        return exchange

    def first_fitting(
        self, low: int, size: Callable[[int], int], budget: int, high: int, search: Search = first_true
    ) -> int:
        """The oldest cut from low to high (high excluded) whose size is within the budget; high if there is none.

        Sizes fall as the cut moves to newer exchanges, except where the template changes, so each side is searched
        alone.
        """
        change = min(max(self.system_first, low), high)
        cut = search(low, change, lambda cut: size(cut) <= budget)
        return cut if cut < change else search(change, high, lambda cut: size(cut) <= budget)

    def runs(self, sent: list[tuple[int, int, Reason]], left_out: list[tuple[int, int, Reason]]) -> list[Run]:
        """Runs that cover every candidate, from ranges of exchanges (start, stop, reason) in order.

        Before the first exchange only system messages are sent, so that no request begins with a reply.
        """
        ranges = [(part, True) for part in sent] + [(part, False) for part in left_out]
        runs = [Run(self.start(a), self.start(b), included, reason) for (a, b, reason), included in ranges if a < b]
        runs.append(Run(0, self.start(0) if self.count else 0, False, "partner_left_out"))
        if not self.count:
            runs.append(Run(0, len(self.candidates), True, "fits"))
        return self.marked(sorted(run for run in runs if run.start < run.stop))

    def marked(self, runs: list[Run]) -> list[Run]:
        """Apply pins and mutes, drop unpaired tool messages, keep system messages."""
        return self.instructed(self._paired(self.chosen_by_hand(runs)))

    def chosen_by_hand(self, runs: list[Run]) -> list[Run]:
        """Apply pins and mutes."""
        pins = [Run(self.start(e), self.start(e + 1), True, "pinned") for e in self.pinned]
        return laid_over(runs, sorted([*pins, *self.muted_runs()]))

    def muted_runs(self) -> list[Run]:
        """The muted exchanges as runs, including the system messages in them."""
        return [Run(self.start(e), self.start(e + 1), False, "muted") for e in self.muted]

    def instructed(self, runs: list[Run]) -> list[Run]:
        """Keep all system messages, whatever exchange they are in."""
        preamble, systems = self.candidates.preamble, self._totals.system_positions
        stored = [position + preamble for position in systems[: bisect_left(systems, self._size)]]
        return laid_over(runs, [Run(at, at + 1, True, "system") for at in [*range(preamble), *stored]])

    def _paired(self, runs: list[Run]) -> list[Run]:
        """Drop unpaired tool messages that would be sent. Those that are left out anyway keep their reason."""
        preamble = self.candidates.preamble
        unpaired = self._totals.pairing.unpaired(self._size)
        if not unpaired:
            return runs
        dropped = [Run(start + preamble, stop + preamble, False, "partner_left_out") for start, stop in unpaired]
        return laid_over(laid_over(runs, dropped), [run for run in runs if not run.included])

    def _numbers(self, indexes: frozenset[int]) -> list[int]:
        """The numbers of the exchanges that begin at these stored indexes. Other indexes are ignored."""
        found = ((bisect_left(self._positions, index, 0, self.stored), index) for index in sorted(indexes))
        return [number for number, index in found if number < self.stored and self._positions[number] == index]

    def _sums(self, exchanges: list[int]) -> list[int]:
        """Running token sums over these exchanges."""
        return [0, *accumulate(self._upto(e + 1) - self._upto(e) for e in exchanges)]

    @staticmethod
    def _between(numbers: list[int], sums: list[int], start: int, stop: int) -> int:
        """Tokens of the listed exchanges from start to stop (stop excluded)."""
        return sums[bisect_left(numbers, stop)] - sums[bisect_left(numbers, start)] if numbers else 0

    def _upto(self, exchange: int) -> int:
        """Tokens before this exchange that a strategy may send or leave out."""
        if exchange < self.stored:
            return self._totals.optional_before[exchange]
        return self._end + (self.candidates.prompt_tokens if exchange > self.stored else 0)
