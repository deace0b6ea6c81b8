"""Overlays runs on other runs, so that every candidate ends up with exactly one reason."""

from __future__ import annotations

from collections.abc import Iterable

from lib.context.plan import Run


def laid_over(lower: Iterable[Run], upper: Iterable[Run]) -> list[Run]:
    """`lower` with `upper` overlaid. Both must be sorted and free of overlaps. The result covers what `lower` covers.

    O(number of runs). Example: [0-9 recent] and [2-4 muted] -> [0-2 recent, 2-4 muted, 4-9 recent]
    """
    result: list[Run] = []
    overlays = iter(upper)
    over = next(overlays, None)
    for run in lower:
        start, stop, included, reason = run
        while over is not None and over.start < stop:
            if over.stop <= start:  # it lies where `lower` has no run
                over = next(overlays, None)
                continue
            if start < over.start:
                result.append(Run(start, over.start, included, reason))
            if over.stop > stop:  # the rest of it covers the next run
                result.append(Run(max(over.start, start), stop, *over[2:]))
                over = Run(stop, *over[1:])
                start = stop
                break
            result.append(over if over.start >= start else Run(start, *over[1:]))
            start = over.stop
            over = next(overlays, None)
        if start < stop:
            result.append(Run(start, stop, included, reason))
    return result


def joined(runs: Iterable[Run]) -> list[Run]:
    """The runs with equal neighbours merged into one and empty ones dropped."""
    result: list[Run] = []
    for run in runs:
        if run.start >= run.stop:
            continue
        if result and result[-1][2:] == run[2:]:
            result[-1] = Run(result[-1].start, *run[1:])
        else:
            result.append(run)
    return result
