"""Finds what breaks at small budgets of the cliff map: facts, instructions, exchanges and tool pairs.

Only what the budget breaks counts, so a tool call that is stored without its result does not. Breaks are found at the
edges of runs, not message by message. `source_trim` may break all four, the other strategies only facts and
instructions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from lib.analysis.runs import range_at
from lib.context.candidates import Candidates
from lib.lab.cliff_map import CliffMap, Row
from lib.tool_calls import call_ids, result_ids

MarkerKind = Literal["fact", "instructions", "split", "pair"]

KIND_TEXT: dict[MarkerKind, str] = {
    "fact": "The message with this fact is not sent.",
    "instructions": "Instructions to the model are not sent, or are larger than the budget by themselves.",
    "split": "A part of an exchange is sent without the question it belongs to.",
    "pair": "A tool's call is sent without its results, or results without their call: providers refuse that.",
}


@dataclass(frozen=True, slots=True)
class Marker:
    """One thing that breaks, and the budgets at which it does.

    `index` is the stored index of the fact's message, the system message, the exchange's question or the tool call;
    None for the session's system prompt.
    """

    kind: MarkerKind
    index: int | None
    budgets: tuple[int, ...]
    """The budgets of the map (tokens) at which it is broken, smallest first; never empty."""

    @property
    def largest_budget(self) -> int:
        """The largest budget at which it is broken."""
        return self.budgets[-1]


class Pair(NamedTuple):
    """A tool call and its results as stored indexes: `start` is the call, `stop` the index after the last result."""

    start: int
    stop: int
    members: tuple[int, ...]


def markers(cliffs: CliffMap, candidates: Candidates, facts: Collection[int] = ()) -> list[Marker]:
    """What breaks at which budgets, sorted by kind and index. `candidates` are those that the map was planned from.

    `facts` are stored indexes of messages that should be sent.
    Example: the fact stored at 0 is sent from 900 on, budgets 300, 600, 900 -> Marker("fact", 0, (300, 600))
    """
    pairs = complete_pairs(candidates)
    broken: dict[tuple[MarkerKind, int | None], list[int]] = defaultdict(list)
    for row in cliffs.rows:
        for kind_and_index in _broken(row, candidates, sorted(set(facts)), pairs):
            broken[kind_and_index].append(row.budget)
    order = list(KIND_TEXT)
    found = [Marker(kind, index, tuple(budgets)) for (kind, index), budgets in broken.items()]
    return sorted(found, key=lambda m: (order.index(m.kind), -1 if m.index is None else m.index))


def _broken(
    row: Row, candidates: Candidates, facts: Sequence[int], pairs: Sequence[Pair]
) -> Iterator[tuple[MarkerKind, int | None]]:
    yield from (("fact", index) for index in facts if not row.sends(index))
    yield from (("instructions", index) for index in _instructions(row, candidates))
    yield from (("split", index) for index in sorted(_split_exchanges(row, candidates)))
    yield from (("pair", index) for index in sorted(_split_pairs(row, pairs)))


def _instructions(row: Row, candidates: Candidates) -> Iterator[int | None]:
    """Stored system messages that are not sent, and None if the session's system prompt is larger than the budget."""
    if candidates.system_prompt is not None and candidates.system_tokens > row.budget:
        yield None
    systems, size = candidates.totals.system_positions, len(candidates.history)
    for start, stop, included, _ in row.runs:
        if not included:
            yield from systems[bisect_left(systems, start) : bisect_left(systems, min(stop, size))]


def _split_exchanges(row: Row, candidates: Candidates) -> set[int]:
    """Questions that are not sent while a later message of their exchange is."""
    questions, size = candidates.totals.user_positions, len(candidates.history)
    found = set()
    for run in row.runs:
        at = _after_systems(candidates, run.start) if run.included else size
        opened = bisect_right(questions, at) - 1
        if at < min(run.stop, size) and opened >= 0 and not row.sends(questions[opened]):
            found.add(questions[opened])
    return found


def _after_systems(candidates: Candidates, at: int) -> int:
    """The first index from `at` on that is not a system message, because those belong to no exchange."""
    systems = candidates.totals.system_positions
    place = bisect_left(systems, at)
    while place < len(systems) and systems[place] == at:
        at, place = at + 1, place + 1
    return at


def _split_pairs(row: Row, pairs: Sequence[Pair]) -> set[int]:
    """Calls of pairs that are sent in part. Only a pair that lies across an edge between runs can be one."""
    found = set()
    for before, now in pairwise(row.runs):
        place = bisect_left(pairs, now.start, key=lambda pair: pair.stop)
        if before.included != now.included and place < len(pairs) and pairs[place].start < now.start:
            pair = pairs[place]
            if len({row.sends(member) for member in pair.members}) > 1:
                found.add(pair.start)
    return found


def complete_pairs(candidates: Candidates) -> list[Pair]:
    """The stored tool calls that have all their results, in order. O(messages).

    Example: question, call, result, reply -> [Pair(1, 3, (1, 2))]
    """
    history, size = candidates.history, len(candidates.history)
    unpaired = candidates.totals.pairing.unpaired(size)
    pairs = []
    for at, message in enumerate(history):
        if call_ids(message) and range_at(unpaired, at) is None:
            stop = next((place for place in range(at + 1, size) if not result_ids(history[place])), size)
            members = tuple(place for place in range(at, stop) if range_at(unpaired, place) is None)
            pairs.append(Pair(at, members[-1] + 1, members))
    return pairs
