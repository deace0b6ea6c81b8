"""The strategy `source_trim`: the source document's trimHistory, faults included.

It keeps and drops exactly the messages that the document's JavaScript does (a test runs that code). It is therefore the
only strategy that can split an exchange and build a request that is refused. It never sees muted exchanges and ignores
pins.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from operator import attrgetter

from lib.context.exchanges import Exchanges, first_true_from_end
from lib.context.plan import Run
from lib.context.reasons import Reason
from lib.context.runs import laid_over
from lib.context.strategies.options import TrimOptions

SOURCE_FLOOR = 4
"""trimHistory stops dropping at this many messages, however large they are."""


def source_trim(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """Drop the second-oldest message until the rest fits or four are left.

    The first message always stays, because the source takes it for the system prompt (which its own route never sets).
    Messages are dropped one by one, so a reply can stay without its question.
    """
    candidates, size = exchanges.candidates, len(exchanges.candidates)
    muted = _without_systems(exchanges)
    first = 0
    for run in muted:
        first = run.stop if run.start <= first < run.stop else first
    muted_tokens = [0, *accumulate(candidates.between(run.start, run.stop) for run in muted)]
    muted_count = [0, *accumulate(run.stop - run.start for run in muted)]

    def stops_at(cut: int) -> bool:
        """Whether the source's loop stops when everything from `cut` on is still there."""
        before = bisect_left(muted, cut, key=attrgetter("start"))  # how many muted runs start before the cut
        if before and muted[before - 1].stop > cut:  # the cut is in a muted run, which the source never sees
            cut = muted[before - 1].stop
        count = 1 + size - cut - (muted_count[-1] - muted_count[before])
        tokens = candidates.between(first, first + 1) + candidates.between(cut, size)
        tokens -= muted_tokens[-1] - muted_tokens[before]
        return count <= SOURCE_FLOOR or tokens <= budget

    # The source loops from the oldest message on. Once its loop would stop, it would also stop later, so search
    # instead.
    cut = first_true_from_end(first + 1, size, stops_at)
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
    """The muted exchanges as runs, without the system messages in them, which are always sent."""
    return [run for run in exchanges.instructed(exchanges.muted_runs()) if not run.included]
