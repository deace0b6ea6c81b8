"""The strategy `summarize`: send a summary in place of the oldest exchanges.

The cut is that of `low_water`, so a summary is rarely needed and the beginning of the request stays the same in
between. A summary is only used for the exchanges it was made from, and not at all if one of them was muted since or if
the conversation is shorter than its sources. Exchanges that it does not cover are left out without one, and the plan
says so. `wanted_summary` says which summary to make next; lib/chat/summarizer.py makes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from lib.context.candidates import Candidates, Summary
from lib.context.exchanges import Exchanges
from lib.context.marks import NO_MARKS, Marks
from lib.context.plan import ContextWindow, Fallback, FallbackKind, Run
from lib.context.reasons import Reason
from lib.context.strategies.low_water import WaterMarks, standing_cut
from lib.context.strategies.options import TrimOptions
from lib.context.strategies.stateless import cut_at, newest_that_fit

SUMMARY_SHARE = 0.15
"""Share of the budget that is kept free for the summary once something is left out."""

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class WantedSummary:
    """A summary to make before the next request. All ranges are stored indexes (start, stop) of whole exchanges."""

    sources: Ranges
    """All messages that it will stand for."""
    added: Ranges
    """The messages that `previous` does not stand for yet; without a previous summary, the same as `sources`."""
    previous: Summary | None
    """The summary to extend; None to write a new one."""
    room: int
    """Tokens it may have, by the counter of the request."""


def summarize(
    exchanges: Exchanges, budget: int, options: TrimOptions, summary: Summary | None
) -> tuple[list[Run], Candidates, Fallback | None]:
    """Send everything from the current cut on, after a summary of what is before it.

    Returns the runs, the candidates they cover (including the summary if it is sent), and why it is not sent if it is
    not.
    """
    cut = standing_cut(exchanges, _marks(budget, options))
    without = cut_at(exchanges, cut, budget, newest_that_fit(exchanges, budget))
    if exchanges.unmuted(cut) == 0:
        return without, exchanges.candidates, None
    fallback = _unusable(exchanges, summary)
    if summary is None or fallback is not None:
        return without, exchanges.candidates, fallback
    with_summary = Exchanges(exchanges.candidates.with_summary(summary), *exchanges.chosen)
    if with_summary.size(cut) > budget:
        size = f"The summary ({with_summary.candidates.summary_tokens:,} tokens)"
        text = f"{size} does not fit beside the newest messages, so the oldest are dropped without one."
        return without, exchanges.candidates, Fallback("summary_too_large", text)
    covered = _covered(with_summary, summary, cut)
    uncovered = [(a, b) for (_, a), (b, _) in pairwise([(0, 0), *covered, (cut, cut)]) if a < b]
    left_out: list[tuple[int, int, Reason]] = [(a, b, "summarized") for a, b in covered]
    forced = newest_that_fit(with_summary, budget)
    left_out += [(a, min(b, forced), "over_budget") for a, b in uncovered if a < forced]
    left_out += [(max(a, forced), b, "batch") for a, b in uncovered if b > forced]
    runs = with_summary.runs([(cut, with_summary.count, "recent")], left_out)
    missing = sum(_unmarked(with_summary, a, b) for a, b in uncovered)
    return runs, with_summary.candidates, _incomplete(missing) if missing else None


def wanted_summary(
    candidates: Candidates, window: ContextWindow, marks: Marks = NO_MARKS, options: TrimOptions | None = None
) -> WantedSummary | None:
    """The summary that `summarize` needs for this request; None if it needs none or has it.

    Muted and pinned exchanges are not summarized.
    Example: 8 stored messages, the cut before the last two, no summary yet -> sources ((0, 6),)
    """
    options, summary = options or TrimOptions(), marks.summary
    exchanges = Exchanges(candidates, marks.muted, marks.pinned)
    budget = window.input_budget
    cut = standing_cut(exchanges, _marks(budget, options))
    needed = _stored_ranges(exchanges, 0, cut)
    if not needed:
        return None
    room = _room(budget)
    if summary is None or _unusable(exchanges, summary) is not None:
        return WantedSummary(needed, needed, None, room)
    covered = _covered(exchanges, summary, cut)
    uncovered = [(a, b) for (_, a), (b, _) in pairwise([(0, 0), *covered, (cut, cut)]) if a < b]
    added = tuple(part for a, b in uncovered for part in _stored_ranges(exchanges, a, b))
    if not added:
        return None
    return WantedSummary(_merged([*summary.sources, *added]), added, summary, room)


def batch_target(budget: int, options: TrimOptions) -> int:
    """Tokens down to which a batch is dropped: as `low_water` does, less the room for the summary."""
    return options.low(budget) - _room(budget)


def _marks(budget: int, options: TrimOptions) -> WaterMarks:
    return WaterMarks(budget, budget - _room(budget), batch_target(budget, options))


def _room(budget: int) -> int:
    return int(budget * SUMMARY_SHARE)


def _unusable(exchanges: Exchanges, summary: Summary | None) -> Fallback | None:
    """Why this summary must not be sent; None if it may be."""

    def without(why: str, kind: FallbackKind = "summary_unusable") -> Fallback:
        return Fallback(kind, f"{why}, so the oldest messages are dropped without one.")

    if summary is None:
        return without("There is no summary yet", "no_summary")
    if not summary.text.strip() or not summary.sources:
        return without("The summary is empty")
    if any(start < 0 or stop > len(exchanges.candidates.history) for start, stop in summary.sources):
        return without("The summary was made from a longer conversation")
    preamble = exchanges.candidates.preamble
    for run in exchanges.muted_runs():
        if any(start < run.stop - preamble and run.start - preamble < stop for start, stop in summary.sources):
            return without("The summary holds a message that was muted since")
    return None


def _covered(exchanges: Exchanges, summary: Summary, cut: int) -> list[tuple[int, int]]:
    """The exchanges before the cut that lie completely in the summary's sources, as ranges of exchange numbers."""
    preamble, found = exchanges.candidates.preamble, []
    for start, stop in _merged(summary.sources):
        first = exchanges.first_from(start + preamble)
        after = min(cut, exchanges.ended_by(stop + preamble))
        if first < after:
            found.append((first, after))
    return found


def _stored_ranges(exchanges: Exchanges, start: int, stop: int) -> Ranges:
    """The ranges of stored indexes of these exchanges, without muted and pinned ones."""
    marked = [e for e in sorted([*exchanges.muted, *exchanges.pinned]) if start <= e < stop]
    preamble = exchanges.candidates.preamble
    edges = [start - 1, *marked, stop]
    return tuple(
        (exchanges.start(a + 1) - preamble, exchanges.start(b) - preamble) for a, b in pairwise(edges) if a + 1 < b
    )


def _unmarked(exchanges: Exchanges, start: int, stop: int) -> int:
    """How many of these exchanges are neither muted nor pinned."""
    return stop - start - sum(start <= e < stop for e in [*exchanges.muted, *exchanges.pinned])


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The ranges in order, with neighbours and overlaps joined. Example: (4, 6), (0, 4) -> (0, 6)"""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        elif start < stop:
            merged.append((start, stop))
    return tuple(merged)


def _incomplete(missing: int) -> Fallback:
    exchanges = "1 older exchange" if missing == 1 else f"{missing:,} older exchanges"
    return Fallback("summary_incomplete", f"The summary does not cover {exchanges}, dropped without one.")
