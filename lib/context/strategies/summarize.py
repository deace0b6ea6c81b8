"""A summary in place of what is left out: summarize, and which exchanges the next summary should cover.

The rule: the cut is the low-water one, so that a summary has to be made seldom and the request's beginning stays the same
in between. A summary is only used for what it was made from: never where it holds an exchange that was muted since, never
for a conversation that does not reach as far. Whatever it does not cover is left out without one, and the plan says so.
It leaves out making a summary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from lib.context.exchanges import Exchanges
from lib.context.marks import NO_MARKS, Marks
from lib.context.plan import Candidates, ContextWindow, Fallback, FallbackKind, Reason, Run, Summary
from lib.context.strategies.low_water import WaterMarks, standing_cut
from lib.context.strategies.options import TrimOptions
from lib.context.strategies.stateless import cut_at

SUMMARY_SHARE = 0.15
"""Part of the budget that is kept free for the summary once something is left out."""

Stretches = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class WantedSummary:
    """A summary to make before the next request. Stretches are stored indexes, start..stop, of whole exchanges."""

    sources: Stretches
    """Everything it will stand for."""
    added: Stretches
    """What `previous` does not stand for yet; without one, the same as `sources`."""
    previous: Summary | None
    """The summary to go on from; None where a new one has to be begun."""
    room: int
    """Tokens it may take, by the counter of the request."""


def summarize(
    exchanges: Exchanges, budget: int, options: TrimOptions, summary: Summary | None
) -> tuple[list[Run], Candidates, Fallback | None]:
    """Everything from the standing cut on, behind a summary of what is before it.

    Returns the runs, the candidates they are about (with the summary, where one is sent), and what a person should know.
    """
    cut = standing_cut(exchanges, _marks(budget, options))
    if exchanges.unmuted(cut) == 0:
        return cut_at(exchanges, cut, budget), exchanges.candidates, None
    trouble = _unusable(exchanges, summary)
    if summary is None or trouble is not None:
        return cut_at(exchanges, cut, budget), exchanges.candidates, trouble
    carrying = Exchanges(exchanges.candidates.with_summary(summary), *exchanges.chosen)
    if carrying.size(cut) > budget:
        size = f"The summary ({carrying.candidates.summary_tokens:,} tokens)"
        text = f"{size} does not fit beside the newest messages, so the oldest are dropped without one."
        return cut_at(exchanges, cut, budget), exchanges.candidates, Fallback("summary_too_large", text)
    covered = _covered(carrying, summary, cut)
    bare = [(a, b) for (_, a), (b, _) in pairwise([(0, 0), *covered, (cut, cut)]) if a < b]
    left_out: list[tuple[int, int, Reason]] = [(a, b, "summarized") for a, b in covered]
    left_out += [(a, b, "over_budget") for a, b in bare]
    runs = carrying.runs([(cut, carrying.count, "recent")], left_out)
    missing = sum(_not_chosen(carrying, a, b) for a, b in bare)
    return runs, carrying.candidates, _incomplete(missing) if missing else None


def wanted_summary(
    candidates: Candidates, window: ContextWindow, marks: Marks = NO_MARKS, options: TrimOptions | None = None
) -> WantedSummary | None:
    """The summary that `summarize` needs for this request; None where it needs none or has it.

    Muted exchanges are never part of one, pinned ones need none.
    Example: 8 stored messages, the cut before the last two, no summary yet -> sources ((0, 6),)
    """
    options, summary = options or TrimOptions(), marks.summary
    exchanges = Exchanges(candidates, marks.muted, marks.pinned)
    budget = window.input_budget
    cut = standing_cut(exchanges, _marks(budget, options))
    needed = _stretches(exchanges, 0, cut)
    if not needed:
        return None
    room = _room(budget)
    if summary is None or _unusable(exchanges, summary) is not None:
        return WantedSummary(needed, needed, None, room)
    covered = _covered(exchanges, summary, cut)
    bare = [(a, b) for (_, a), (b, _) in pairwise([(0, 0), *covered, (cut, cut)]) if a < b]
    added = tuple(stretch for a, b in bare for stretch in _stretches(exchanges, a, b))
    if not added:
        return None
    return WantedSummary(_merged([*summary.sources, *added]), added, summary, room)


def _marks(budget: int, options: TrimOptions) -> WaterMarks:
    room = _room(budget)
    return WaterMarks(budget, budget - room, options.low(budget) - room)


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
    """The exchanges before the cut that are wholly in the summary's sources, as stretches of numbers."""
    preamble, found = exchanges.candidates.preamble, []
    for start, stop in _merged(summary.sources):
        first = exchanges.first_from(start + preamble)
        after = min(cut, exchanges.ended_by(stop + preamble))
        if first < after:
            found.append((first, after))
    return found


def _stretches(exchanges: Exchanges, start: int, stop: int) -> Stretches:
    """The stored indexes of these exchanges, without muted and pinned ones."""
    chosen = [e for e in sorted([*exchanges.muted, *exchanges.pinned]) if start <= e < stop]
    preamble = exchanges.candidates.preamble
    edges = [start - 1, *chosen, stop]
    return tuple(
        (exchanges.start(a + 1) - preamble, exchanges.start(b) - preamble) for a, b in pairwise(edges) if a + 1 < b
    )


def _not_chosen(exchanges: Exchanges, start: int, stop: int) -> int:
    """How many of these exchanges are neither muted nor pinned."""
    return stop - start - sum(start <= e < stop for e in [*exchanges.muted, *exchanges.pinned])


def _merged(stretches: Iterable[tuple[int, int]]) -> Stretches:
    """In order, neighbours and overlaps joined. Example: (4, 6), (0, 4) -> (0, 6)"""
    done: list[tuple[int, int]] = []
    for start, stop in sorted(stretches):
        if done and start <= done[-1][1]:
            done[-1] = (done[-1][0], max(stop, done[-1][1]))
        elif start < stop:
            done.append((start, stop))
    return tuple(done)


def _incomplete(missing: int) -> Fallback:
    exchanges = "1 older exchange" if missing == 1 else f"{missing:,} older exchanges"
    return Fallback("summary_incomplete", f"The summary does not cover {exchanges}, dropped without one.")
