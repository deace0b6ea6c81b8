"""Strategies that look at one request alone: none, oldest_first, head_and_tail, sliding_window.

The rule: each is the longest of its kind that fits, found by bisection over sizes. Without a fit the newest message goes
alone with what goes along in any case, and the plan says that it does not fit. It leaves out what earlier requests held
(lib/context/strategies/low_water.py).
"""

from __future__ import annotations

from lib.context.exchanges import Exchanges, first_true_from_end
from lib.context.plan import Reason, Run
from lib.context.strategies.options import TrimOptions


def none(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """Everything, whether it fits or not, and as it is stored."""
    return exchanges.instructed(exchanges.chosen_by_hand([Run(0, len(exchanges.candidates), True, "fits")]))


def oldest_first(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """The longest stretch of newest exchanges that fits."""
    return cut_at(exchanges, newest_that_fit(exchanges, budget), budget)


def sliding_window(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """The last exchanges, by their number; fewer where they do not fit. Muted ones are not counted."""
    window = exchanges.numbered(exchanges.unmuted(exchanges.count) - options.tail)
    cut = newest_that_fit(exchanges, budget, window)
    if exchanges.unmuted(window) == 0:
        return cut_at(exchanges, cut, budget)
    return exchanges.runs(
        [(cut, exchanges.count, "recent")], [(0, window, "outside_window"), (window, cut, "over_budget")]
    )


def head_and_tail(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """The first exchanges and the newest that fit beside them. Muted ones are not counted.

    The beginning goes before the newest, but never before the newest message: where it leaves no room for that, fewer of
    the first are kept.
    """
    cut = newest_that_fit(exchanges, budget)
    if exchanges.unmuted(cut) == 0 or exchanges.count < 2:
        return cut_at(exchanges, cut, budget)
    newest = exchanges.count - 1
    wanted = min(exchanges.numbered(options.head), newest)
    head = _largest_head(exchanges, budget, wanted, newest)
    cut = min(
        exchanges.first_fitting(head, lambda cut: exchanges.size(cut, head), budget, newest, first_true_from_end),
        newest,
    )
    return exchanges.runs(
        [(0, head, "pinned"), (cut, exchanges.count, "recent")],
        [(head, min(wanted, cut), "over_budget"), (max(head, min(wanted, cut)), cut, "middle")],
    )


def newest_that_fit(exchanges: Exchanges, budget: int, oldest: int = 0) -> int:
    """The oldest cut, from this one on, with which the request fits; the newest exchange where none does."""
    newest = max(0, exchanges.count - 1)
    return exchanges.first_fitting(min(oldest, newest), exchanges.size, budget, newest, first_true_from_end)


def cut_at(exchanges: Exchanges, cut: int, budget: int) -> list[Run]:
    """Everything before the cut left out for its size, everything from there on sent."""
    whole = exchanges.unmuted(cut) == 0 and exchanges.size(cut) <= budget
    kept: Reason = "fits" if whole else "recent"
    return exchanges.runs([(cut, exchanges.count, kept)], [(0, cut, "over_budget")])


def _largest_head(exchanges: Exchanges, budget: int, wanted: int, newest: int) -> int:
    """How many exchanges of the beginning fit beside the newest one, up to the wanted number."""
    low, high = 0, wanted
    while low < high:  # sizes grow with the head
        head = (low + high + 1) // 2
        low, high = (head, high) if exchanges.size(newest, head) <= budget else (low, head - 1)
    return low
