"""Runs laid over runs: how reasons that overlap become one reason each.

The rule: runs that cover every candidate once still do after anything was laid over them. Pure arithmetic on positions; it
leaves out what the reasons mean.
"""

from __future__ import annotations

from collections.abc import Iterable

from lib.context.plan import Run


def laid_over(lower: Iterable[Run], upper: Iterable[Run]) -> list[Run]:
    """`upper` over `lower`; each is in order and does not overlap itself. Covers what `lower` covers. O(both).

    Example: [0-9 recent], [2-4 muted] -> 0-2 recent, 2-4 muted, 4-9 recent
    """
    done: list[Run] = []
    above = iter(upper)
    over = next(above, None)
    for run in lower:
        start, stop, included, reason = run
        while over is not None and over.start < stop:
            if over.stop <= start:  # where nothing is below it
                over = next(above, None)
                continue
            if start < over.start:
                done.append(Run(start, over.start, included, reason))
            if over.stop > stop:  # it goes on over the next run
                done.append(Run(max(over.start, start), stop, *over[2:]))
                over = Run(stop, *over[1:])
                start = stop
                break
            done.append(over if over.start >= start else Run(start, *over[1:]))
            start = over.stop
            over = next(above, None)
        if start < stop:
            done.append(Run(start, stop, included, reason))
    return done


def joined(runs: Iterable[Run]) -> list[Run]:
    """Neighbours with the same fate and reason become one run; empty runs go."""
    done: list[Run] = []
    for run in runs:
        if run.start >= run.stop:
            continue
        if done and done[-1][2:] == run[2:]:
            done[-1] = Run(done[-1].start, *run[1:])
        else:
            done.append(run)
    return done
