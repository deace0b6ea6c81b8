"""The source document's trimHistory, with its faults: source_trim.

The rule: it keeps and drops exactly what the document's own JavaScript does (a test runs that), so it is the one strategy
that may split an exchange and build a request that is refused. Muted exchanges were never there for it; pins are not
known to it.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from operator import attrgetter

from lib.context.exchanges import Exchanges, first_true_from_end
from lib.context.plan import Reason, Run
from lib.context.runs import laid_over
from lib.context.strategies.options import TrimOptions

SOURCE_FLOOR = 4
"""trimHistory stops at this many messages, however large they are."""


def source_trim(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """trimHistory: drop the second-oldest message until the rest fits or four are left.

    The first message stays because it is first (the source takes it for the system prompt, which its own route never
    sets), and single messages are dropped, so a reply can stay without its question.
    """
    candidates, size = exchanges.candidates, len(exchanges.candidates)
    muted = _without_systems(exchanges)
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

    # the loop drops from the front, so both conditions only ever get truer: search instead of looping
    cut = first_true_from_end(first + 1, size, done)
    if cut == first + 1:
        return exchanges.instructed(laid_over([Run(0, size, True, "fits")], muted))
    kept_first: Reason = "system" if candidates[first].is_system else "pinned"
    runs = [
        Run(0, first + 1, True, "recent"),
        Run(first + 1, cut, False, "over_budget"),
        Run(cut, size, True, "recent"),
    ]
    return laid_over(laid_over(runs, muted), [Run(first, first + 1, True, kept_first)])


def _without_systems(exchanges: Exchanges) -> list[Run]:
    """The muted exchanges without the system messages among them: those are instructions, and stay."""
    return [run for run in exchanges.instructed(exchanges.muted_runs()) if not run.included]
