"""Strategies that look at one request alone: none, oldest_first, head_and_tail, sliding_window.

The rule: each is the longest of its kind that fits, found by bisection over sizes. Without a fit the newest message goes
alone with what goes along in any case, and the plan says that it does not fit. It leaves out what earlier requests held
(lib/context/strategies/low_water.py).
"""

from __future__ import annotations

from lib.context.exchanges import Exchanges, first_true_from_end
from lib.context.plan import Reason, Run
from lib.context.strategies.options import TrimOptions


def none(talk: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """Everything, whether it fits or not, and as it is stored."""
    return talk.instructed(talk.chosen_by_hand([Run(0, len(talk.candidates), True, "fits")]))


def oldest_first(talk: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """The longest stretch of newest exchanges that fits."""
    return cut_at(talk, newest_that_fit(talk, budget), budget)


def sliding_window(talk: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """The last exchanges, by their number; fewer where they do not fit. Muted ones are not counted."""
    window = talk.numbered(talk.unmuted(talk.count) - options.tail)
    cut = newest_that_fit(talk, budget, window)
    if talk.unmuted(window) == 0:
        return cut_at(talk, cut, budget)
    return talk.runs([(cut, talk.count, "recent")], [(0, window, "outside_window"), (window, cut, "over_budget")])


def head_and_tail(talk: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """The first exchanges and the newest that fit beside them. Muted ones are not counted.

    The beginning goes before the newest, but never before the newest message: where it leaves no room for that, fewer of
    the first are kept.
    """
    cut = newest_that_fit(talk, budget)
    if talk.unmuted(cut) == 0 or talk.count < 2:
        return cut_at(talk, cut, budget)
    newest = talk.count - 1
    wanted = min(talk.numbered(options.head), newest)
    head = _largest_head(talk, budget, wanted, newest)
    cut = min(talk.first_fitting(head, lambda cut: talk.size(cut, head), budget, newest, first_true_from_end), newest)
    return talk.runs(
        [(0, head, "pinned"), (cut, talk.count, "recent")],
        [(head, min(wanted, cut), "over_budget"), (max(head, min(wanted, cut)), cut, "middle")],
    )


def newest_that_fit(talk: Exchanges, budget: int, oldest: int = 0) -> int:
    """The oldest cut, from this one on, with which the request fits; the newest exchange where none does."""
    newest = max(0, talk.count - 1)
    return talk.first_fitting(min(oldest, newest), talk.size, budget, newest, first_true_from_end)


def cut_at(talk: Exchanges, cut: int, budget: int) -> list[Run]:
    """Everything before the cut left out for its size, everything from there on sent."""
    whole = talk.unmuted(cut) == 0 and talk.size(cut) <= budget
    kept: Reason = "fits" if whole else "recent"
    return talk.runs([(cut, talk.count, kept)], [(0, cut, "over_budget")])


def _largest_head(talk: Exchanges, budget: int, wanted: int, newest: int) -> int:
    """How many exchanges of the beginning fit beside the newest one, up to the wanted number."""
    low, high = 0, wanted
    while low < high:  # sizes grow with the head
        head = (low + high + 1) // 2
        low, high = (head, high) if talk.size(newest, head) <= budget else (low, head - 1)
    return low
