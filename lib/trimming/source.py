"""Strategies: which of the candidates go into the request.

The rule: a strategy returns runs that cover every candidate exactly once, with one reason each; it never edits a message
and never touches the store. An exchange (a user message with everything up to the next one) stays whole in every strategy
but `source_trim`, which is the source document's `trimHistory` with its faults.
Left out on purpose: asking anyone. Whether a plan that does not fit may be sent is for the person to say.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import accumulate, pairwise
from operator import attrgetter

from lib.context import Candidates, ContextPlan, ContextWindow, Reason, Run

SOURCE_FLOOR = 4
"""trimHistory stops at this many messages, however large they are."""


@dataclass(frozen=True, slots=True)
class TrimStrategy:
    """A named way to choose. `label` and `explanation` are shown to people; `plan` decides, given the muted exchanges."""

    name: str
    label: str
    explanation: str
    plan: Callable[[Candidates, int, Muted], list[Run]]


Muted = tuple[Run, ...]


def plan_context(
    candidates: Candidates, window: ContextWindow, strategy: str, muted: Collection[int] = ()
) -> ContextPlan:
    """Decide what the next request holds.

    `muted` holds the stored indexes of user messages whose exchanges are never sent. Raises KeyError for an unknown
    strategy.
    """
    runs = STRATEGIES[strategy].plan(candidates, window.input_budget, _muted_runs(candidates, muted))
    return ContextPlan(candidates, tuple(_joined(runs)), window, strategy)


def _none(candidates: Candidates, budget: int, muted: Muted) -> list[Run]:
    """Everything, whether it fits or not."""
    return _cover(candidates, 0, "fits", "over_budget", muted)


def _oldest_first(candidates: Candidates, budget: int, muted: Muted) -> list[Run]:
    """The longest stretch of newest exchanges that fits beside the system messages."""
    asked = candidates.tally.user_positions
    stored = bisect_left(asked, len(candidates.history))  # another thread may have counted a longer history meanwhile
    exchanges = stored + (candidates.prompt is not None)
    if not exchanges:
        return _cover(candidates, 0, "fits", "over_budget", muted)

    def start(exchange: int) -> int:  # looked up one by one: a list of all of them would grow with the conversation
        return asked[exchange] + candidates.lead if exchange < stored else len(candidates) - 1

    size = _sizes(candidates, muted)
    # sizes fall as the cut moves to newer exchanges, so the first cut that fits is found by bisection
    first = bisect_left(range(exchanges), True, key=lambda exchange: size(start(exchange)) <= budget)
    if first == 0:
        return _cover(candidates, start(0), "fits", "partner_left_out", muted)
    return _cover(candidates, start(min(first, exchanges - 1)), "recent", "over_budget", muted)


def _source_trim(candidates: Candidates, budget: int, muted: Muted) -> list[Run]:
    """trimHistory: drop the second-oldest message until the rest fits or four are left.

    The first message stays because it is first (the source takes it for the system prompt, which its own route never
    sets), and single messages are dropped, so a reply can stay without its question.
    """
    size = len(candidates)
    first = 0
    for run in muted:
        first = run.stop if run.start <= first < run.stop else first
    silent = [0, *accumulate(candidates.between(run.start, run.stop) for run in muted)]
    silenced = [0, *accumulate(run.stop - run.start for run in muted)]

    def done(cut: int) -> bool:  # the source's loop condition, with everything from `cut` on still there
        place = bisect_left(muted, cut, key=attrgetter("start"))
        if place and muted[place - 1].stop > cut:  # in a muted stretch, which was never there for the source
            cut = muted[place - 1].stop
        count = 1 + size - cut - (silenced[-1] - silenced[place])
        tokens = candidates.between(first, first + 1) + candidates.between(cut, size) - (silent[-1] - silent[place])
        return count <= SOURCE_FLOOR or tokens <= budget

    # the loop drops from the front, so both conditions only ever get truer: bisect instead of looping
    cut = bisect_left(range(first + 1, size), True, key=done) + first + 1
    if cut == first + 1:
        return _cover(candidates, 0, "fits", "over_budget", muted)
    kept_first: Reason = "system" if candidates[first].is_system else "pinned"
    layers = [Run(0, size, True, "recent"), Run(first + 1, cut, False, "over_budget"), *muted]
    return _painted([*layers, Run(first, first + 1, True, kept_first)])


def _sizes(candidates: Candidates, muted: Muted) -> Callable[[int], int]:
    """How to size a request that begins at a cut between exchanges: with the system messages before it and without the
    muted stretches. Each answer is O(log n), however many of either there are."""
    systems = _system_positions(candidates, len(candidates))
    kept = [0, *accumulate(candidates.between(at, at + 1) for at in systems)]
    silent = [0, *accumulate(candidates.between(run.start, run.stop) for run in muted)]
    fixed = candidates.upto(len(candidates)) + candidates.upto(candidates.lead) + candidates.template()

    def size(cut: int) -> int:
        muted_before = silent[bisect_left(muted, cut, key=attrgetter("start"))]
        return fixed - candidates.upto(cut) + kept[bisect_left(systems, cut)] - (silent[-1] - muted_before)

    return size


def _system_positions(candidates: Candidates, before: int) -> list[int]:
    """Positions of stored system messages before a cut."""
    stored = candidates.tally.system_positions
    return [at + candidates.lead for at in stored[: bisect_left(stored, before - candidates.lead)]]


def _cover(candidates: Candidates, cut: int, kept: Reason, dropped: Reason, muted: Muted) -> list[Run]:
    """Everything before `cut` left out but for system messages, everything from there on sent."""
    size = len(candidates)
    systems = [Run(at, at + 1, True, "system") for at in _system_positions(candidates, size)]
    if candidates.lead:
        systems.insert(0, Run(0, 1, True, "system"))
    return _painted([Run(0, cut, False, dropped), Run(cut, size, True, kept), *muted, *systems])


def _muted_runs(candidates: Candidates, muted: Collection[int]) -> Muted:
    """The exchanges that begin at these stored indexes, as runs. System messages among them are instructions, not part
    of the exchange: they stay."""
    asked, systems = candidates.tally.user_positions, candidates.tally.system_positions
    lead, end = candidates.lead, len(candidates.history)
    runs: list[Run] = []
    for index in sorted(muted):
        place = bisect_left(asked, index)
        if place < len(asked) and asked[place] == index < end:
            stop = min(asked[place + 1], end) if place + 1 < len(asked) else end
            edges = [index - 1, *systems[bisect_left(systems, index) : bisect_left(systems, stop)], stop]
            runs += [Run(a + 1 + lead, b + lead, False, "muted") for a, b in pairwise(edges) if a + 1 < b]
    return tuple(runs)


def _painted(layers: list[Run]) -> list[Run]:
    """Layers of runs, later ones over earlier ones, as runs side by side. O(n log n) in the number of layers.

    Example: [Run(0, 9, True, "recent"), Run(2, 4, False, "muted")] -> 0-2 recent, 2-4 muted, 4-9 recent
    """
    waiting = sorted(
        ((run.start, -place, run) for place, run in enumerate(layers) if run.start < run.stop), reverse=True
    )
    edges = sorted({edge for start, _, run in waiting for edge in (start, run.stop)})
    here: list[tuple[int, Run]] = []  # the layers at this edge, topmost first
    done: list[Run] = []
    for start, stop in pairwise(edges):
        while waiting and waiting[-1][0] == start:
            heappush(here, waiting.pop()[1:])
        while here and here[0][1].stop <= start:
            heappop(here)
        if here:
            done.append(here[0][1]._replace(start=start, stop=stop))
    return done


def _joined(runs: list[Run]) -> list[Run]:
    """Neighbours with the same fate and reason become one run."""
    joined: list[Run] = []
    for run in runs:
        if joined and joined[-1][2:] == run[2:]:
            joined[-1] = joined[-1]._replace(stop=run.stop)
        else:
            joined.append(run)
    return joined


STRATEGIES: dict[str, TrimStrategy] = {
    strategy.name: strategy
    for strategy in (
        TrimStrategy(
            "oldest_first",
            "Leave out the oldest",
            "Whole exchanges are left out, oldest first, until the rest fits. The system prompt and your newest message "
            "always go along.",
            _oldest_first,
        ),
        TrimStrategy(
            "none",
            "Leave out nothing",
            "Everything is sent. When it no longer fits, you are asked before anything is sent.",
            _none,
        ),
        TrimStrategy(
            "source_trim",
            "The textbook's trimHistory",
            "Single messages are dropped, second-oldest first, until it fits or four are left; sizes are characters / 4. "
            "Can build requests that are refused: a reply may be sent without its question.",
            _source_trim,
        ),
    )
}
DEFAULT_STRATEGY = "oldest_first"
