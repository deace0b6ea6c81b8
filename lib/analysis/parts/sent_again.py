"""How often each stored message was sent again: in how many recorded requests it stands that did not bring it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from lib.turns import Turn


def times_sent_again(turns: Iterable[Turn], size: int) -> list[int]:
    """For each of the first `size` stored messages, how many of these turns' requests sent it again.

    A request brings its newest message, and one of an app's own all that are new to the history: they are sent for the
    first time. O(size + runs).
    Example: three turns that drop nothing -> [2, 2, 1, 1, 0, 0]
    """
    changes = [0] * (size + 1)
    for turn in turns:
        if turn.plan is None:
            continue
        first_new = turn.plan.stored if turn.recorded is None else turn.recorded.first_new
        for start, stop, included, _ in turn.plan.runs:
            end = min(stop, first_new, size)
            if included and start < end:
                changes[start] += 1
                changes[end] -= 1
    return list(accumulate(changes[:size]))
