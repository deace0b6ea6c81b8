"""A conversation as exchanges with sizes: what strategies choose from.

The rule: an exchange (a user message with everything up to the next one) is sent whole or left out whole; what goes along
in any case (system messages, pins) and what never does (mutes, tool calls and results without their partner) is the same
for every strategy and decided here. Sizes are tokens, and each is O(log n) however long the conversation is.
It leaves out choosing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection
from functools import cached_property
from itertools import accumulate

from lib.context.plan import Candidates, Reason, Run
from lib.context.runs import laid_over

Search = Callable[[int, int, Callable[[int], bool]], int]


def first_true(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first of low..high (high not included) for which it holds; high where it never does. It must stay true.

    O(log of the distance): it looks near `low` first, since the next cut is usually near the last one.
    """
    step = 1
    while low + step <= high and not holds(low + step - 1):
        low += step
        step *= 2
    return bisect_left(range(low, min(high, low + step - 1)), True, key=holds) + low


def first_true_from_end(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The same, looking near `high` first: what fits is near the newest, however far back a conversation goes."""
    step = 1
    while high - step >= low and holds(high - step):
        high -= step
        step *= 2
    return bisect_left(range(max(low, high - step + 1), high), True, key=holds) + max(low, high - step + 1)


class Exchanges:
    """The exchanges of these candidates, numbered from 0; the new message begins the last one.

    `muted` and `pinned` are stored indexes of user messages; where both name one, it is muted: a replaced message must
    not come back because its first version was pinned.
    """

    def __init__(self, candidates: Candidates, muted: Collection[int] = (), pinned: Collection[int] = ()) -> None:
        self.candidates = candidates
        self._totals = candidates.totals
        self._size = len(candidates.history)  # the totals may know more
        self._positions = self._totals.user_positions
        self.stored = bisect_left(self._positions, self._size)
        self.count = self.stored + (candidates.prompt is not None)
        self.chosen = frozenset(muted), frozenset(pinned)
        """What the person muted and pinned, as stored indexes."""
        self.muted = self._numbers(self.chosen[0])
        self.pinned = self._numbers(self.chosen[1] - self.chosen[0])
        self._end = self._totals.optional_upto(self._size)
        self._muted_tokens = self._sums(self.muted)
        self._pinned_tokens = self._sums(self.pinned)
        counter = candidates.counter
        self.template = counter.template(False), counter.template(True)
        self.fixed = candidates.preamble_tokens + self._totals.system_upto(self._size)
        """Tokens of everything that is sent in any case but pins: instructions."""

    def start(self, exchange: int) -> int:
        """The position where it begins; behind the last candidate for `count`."""
        if exchange < self.stored:
            return self._positions[exchange] + self.candidates.preamble
        return len(self.candidates) - (self.count - exchange if self.candidates.prompt is not None else 0)

    def first_from(self, position: int) -> int:
        """The first stored exchange that begins at this position or later."""
        return bisect_left(self._positions, position - self.candidates.preamble, 0, self.stored)

    def ended_by(self, position: int) -> int:
        """How many stored exchanges end at this position or before it."""
        begun = self.first_from(position)
        return begun if begun and self.start(begun) <= position else max(0, begun - 1)

    def numbered(self, unmuted: int) -> int:
        """The exchange that has this many unmuted ones before it; `count` where there are fewer."""
        reached = first_true_from_end(0, self.count, lambda exchange: self.unmuted(exchange + 1) > unmuted)
        return min(reached, self.count)

    def unmuted(self, exchange: int) -> int:
        """How many exchanges before this one are not muted."""
        return exchange - bisect_left(self.muted, exchange)

    def is_muted(self, exchange: int) -> bool:
        place = bisect_left(self.muted, exchange)
        return place < len(self.muted) and self.muted[place] == exchange

    def exchanges(self, start: int, stop: int) -> int:
        """Tokens of these exchanges when they are sent, without their system messages."""
        silent = self._before(self.muted, self._muted_tokens, start, stop)
        return self._upto(stop) - self._upto(start) - silent

    def size(self, cut: int, head: int = 0) -> int:
        """Tokens of a request with the first `head` exchanges and those from `cut` on, pins, instructions and template."""
        pins = self._before(self.pinned, self._pinned_tokens, head, cut)
        sent = self.fixed + self.exchanges(0, head) + pins + self.exchanges(cut, self.count)
        begins = 0 if self.unmuted(head) else cut
        return sent + self.template[begins >= self.system_first]

    def size_at(self, cut: int, turn: int) -> int:
        """Tokens of the request that was made when this stored exchange began: from `cut` to its user message.

        Where it is muted, its own message is left out: that only grows as `turn` does.
        """
        at = self._positions[turn]
        own = 0 if self.is_muted(turn) else self._totals.sums[at + 1] - self._totals.sums[at]
        pins = self._before(self.pinned, self._pinned_tokens, 0, cut)
        instructions = self.candidates.preamble_tokens + self._totals.system_before[turn]
        return instructions + pins + self.exchanges(cut, turn) + own + self.template[cut >= self.system_first]

    @cached_property
    def system_first(self) -> int:
        """The first cut with which the request begins with a system message; more than `count` where none does."""
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
        """The oldest cut of low..high (high not included) with which the size is within the budget; high where none is.

        MessageSizes fall as the cut moves on, but for one step where the template changes: each side of it is searched alone.
        """
        step = min(max(self.system_first, low), high)
        found = search(low, step, lambda cut: size(cut) <= budget)
        return found if found < step else search(step, high, lambda cut: size(cut) <= budget)

    def runs(self, sent: list[tuple[int, int, Reason]], left_out: list[tuple[int, int, Reason]]) -> list[Run]:
        """One run after the other for every candidate, from what was chosen: stretches of exchanges, in order.

        Before the first exchange nothing but system messages is sent: no request begins with a reply.
        """
        chosen = [(part, True) for part in sent] + [(part, False) for part in left_out]
        runs = [Run(self.start(a), self.start(b), fate, reason) for (a, b, reason), fate in chosen if a < b]
        runs.append(Run(0, self.start(0) if self.count else 0, False, "partner_left_out"))
        if not self.count:
            runs.append(Run(0, len(self.candidates), True, "fits"))
        return self.marked(sorted(run for run in runs if run.start < run.stop))

    def marked(self, runs: list[Run]) -> list[Run]:
        """Runs with pins and mutes laid over them, what is unpaired taken out, and instructions on top."""
        return self.instructed(self._paired(self.chosen_by_hand(runs)))

    def chosen_by_hand(self, runs: list[Run]) -> list[Run]:
        """Runs with pins and mutes laid over them."""
        pins = [Run(self.start(e), self.start(e + 1), True, "pinned") for e in self.pinned]
        return laid_over(runs, sorted([*pins, *self.muted_runs()]))

    def muted_runs(self) -> list[Run]:
        """The muted exchanges, system messages in them included."""
        return [Run(self.start(e), self.start(e + 1), False, "muted") for e in self.muted]

    def instructed(self, runs: list[Run]) -> list[Run]:
        """Runs with the system messages laid over them: these go along whatever they stand in."""
        preamble, systems = self.candidates.preamble, self._totals.system_positions
        stored = systems[: bisect_left(systems, self._size)]
        return laid_over(
            runs, [Run(at, at + 1, True, "system") for at in [*range(preamble), *(at + preamble for at in stored)]]
        )

    def _paired(self, runs: list[Run]) -> list[Run]:
        """What is unpaired is left out where it would be sent; what is left out anyway keeps its reason."""
        preamble = self.candidates.preamble
        unpaired = self._totals.pairing.unpaired(self._size)
        if not unpaired:
            return runs
        marks = [Run(start + preamble, stop + preamble, False, "partner_left_out") for start, stop in unpaired]
        return laid_over(laid_over(runs, marks), [run for run in runs if not run.included])

    def _numbers(self, indexes: frozenset[int]) -> list[int]:
        """Stored indexes of user messages as numbers of exchanges; what begins no exchange is passed over."""
        places = ((bisect_left(self._positions, index, 0, self.stored), index) for index in sorted(indexes))
        return [place for place, index in places if place < self.stored and self._positions[place] == index]

    def _sums(self, exchanges: list[int]) -> list[int]:
        return [0, *accumulate(self._upto(e + 1) - self._upto(e) for e in exchanges)]

    @staticmethod
    def _before(numbers: list[int], sums: list[int], start: int, stop: int) -> int:
        """Of the exchanges in this list, the tokens of those in start..stop."""
        return sums[bisect_left(numbers, stop)] - sums[bisect_left(numbers, start)] if numbers else 0

    def _upto(self, exchange: int) -> int:
        """Tokens before this exchange of all that a strategy decides about."""
        if exchange < self.stored:
            return self._totals.optional_before[exchange]
        return self._end + (self.candidates.prompt_tokens if exchange > self.stored else 0)
