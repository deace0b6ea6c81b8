"""What breaks on the way down the cliff map: facts, instructions, exchanges and tool pairs.

The rule: a marker names one thing and every budget of the map at which it is broken, and breaking is always the budget's
doing: what is stored without its partner is no marker. Looked up at the edges of runs, never message by message.
It leaves out judging whether that matters: source_trim may break anything, the others only facts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from lib.context.plan import Candidates
from lib.lab.cliff_map import CliffMap, Row
from lib.tool_calls import call_ids, result_ids

Kind = Literal["fact", "instructions", "split", "pair"]

KIND_TEXT: dict[Kind, str] = {
    "fact": "The message with this fact is not sent.",
    "instructions": "Instructions to the model are not sent, or are larger than the budget by themselves.",
    "split": "A part of an exchange is sent without the question it belongs to.",
    "pair": "A tool's call is sent without its results, or results without their call: providers refuse that.",
}


@dataclass(frozen=True, slots=True)
class Marker:
    """One thing that breaks. `index` is where it is stored: the fact's message, the system message, the question of the
    exchange, the call. None for the session's own system prompt."""

    kind: Kind
    index: int | None
    budgets: tuple[int, ...]
    """Every budget of the map (tokens) at which it is broken, smallest first; never empty."""

    @property
    def upto(self) -> int:
        """The largest budget at which it is broken."""
        return self.budgets[-1]


class Pair(NamedTuple):
    """A call and the results that answer it, as stored indexes: start is the call's, stop is behind the last result."""

    start: int
    stop: int
    members: tuple[int, ...]


def markers(made: CliffMap, candidates: Candidates, facts: Collection[int] = ()) -> list[Marker]:
    """What breaks at which of the map's budgets, for the candidates it was made of.

    `facts` are stored indexes of messages that should be sent.
    Example: the fact stored at 0 is sent from 900 on, budgets 300, 600, 900 -> Marker("fact", 0, (300, 600))
    """
    pairs = whole_pairs(candidates)
    broken: dict[tuple[Kind, int | None], list[int]] = defaultdict(list)
    for row in made.rows:
        for thing in _broken(row, candidates, sorted(set(facts)), pairs):
            broken[thing].append(row.budget)
    order = list(KIND_TEXT)
    found = [Marker(kind, index, tuple(budgets)) for (kind, index), budgets in broken.items()]
    return sorted(found, key=lambda m: (order.index(m.kind), -1 if m.index is None else m.index))


def _broken(
    row: Row, candidates: Candidates, facts: Sequence[int], pairs: Sequence[Pair]
) -> Iterator[tuple[Kind, int | None]]:
    yield from (("fact", index) for index in facts if not row.sends(index))
    yield from (("instructions", index) for index in _instructions(row, candidates))
    yield from (("split", index) for index in sorted(_splits(row, candidates)))
    yield from (("pair", index) for index in sorted(_parted(row, pairs)))


def _instructions(row: Row, candidates: Candidates) -> Iterator[int | None]:
    """Stored system messages that are left out, and the session's system prompt where it is larger than the budget."""
    if candidates.system_prompt is not None and candidates.system_tokens > row.budget:
        yield None
    systems, size = candidates.totals.system_positions, len(candidates.history)
    for start, stop, included, _ in row.runs:
        if not included:
            yield from systems[bisect_left(systems, start) : bisect_left(systems, min(stop, size))]


def _splits(row: Row, candidates: Candidates) -> set[int]:
    """Questions that are left out while something behind them, up to the next one, is sent."""
    questions, size = candidates.totals.user_positions, len(candidates.history)
    found = set()
    for run in row.runs:
        at = _behind_systems(candidates, run.start) if run.included else size
        opened = bisect_right(questions, at) - 1
        if at < min(run.stop, size) and opened >= 0 and not row.sends(questions[opened]):
            found.add(questions[opened])
    return found


def _behind_systems(candidates: Candidates, at: int) -> int:
    """The first position from this one on that holds no system message: those belong to no exchange."""
    systems = candidates.totals.system_positions
    place = bisect_left(systems, at)
    while place < len(systems) and systems[place] == at:
        at, place = at + 1, place + 1
    return at


def _parted(row: Row, pairs: Sequence[Pair]) -> set[int]:
    """Calls of pairs of which a part is sent. Only those that an edge between runs goes through can be."""
    found = set()
    for before, now in pairwise(row.runs):
        place = bisect_left(pairs, now.start, key=lambda pair: pair.stop)
        if before.included != now.included and place < len(pairs) and pairs[place].start < now.start:
            pair = pairs[place]
            if len({row.sends(member) for member in pair.members}) > 1:
                found.add(pair.start)
    return found


def whole_pairs(candidates: Candidates) -> list[Pair]:
    """The stored calls that have all their results, in order. O(messages).

    Example: question, call, result, reply -> [Pair(1, 3, (1, 2))]
    """
    history, size = candidates.history, len(candidates.history)
    unpaired = candidates.totals.pairing.unpaired(size)
    pairs = []
    for at, message in enumerate(history):
        if call_ids(message) and not _within(unpaired, at):
            stop = _first(lambda place: not result_ids(history[place]), at + 1, size)
            members = tuple(place for place in range(at, stop) if not _within(unpaired, place))
            pairs.append(Pair(at, members[-1] + 1, members))
    return pairs


def _within(stretches: Sequence[tuple[int, int]], at: int) -> bool:
    place = bisect_right(stretches, at, key=lambda stretch: stretch[0]) - 1
    return place >= 0 and at < stretches[place][1]


def _first(holds: Callable[[int], bool], start: int, stop: int) -> int:
    return next((place for place in range(start, stop) if holds(place)), stop)
