"""The strategies that ignore earlier requests: none, oldest_first, head_and_tail, sliding_window.

Each sends as many exchanges of its kind as fit. If nothing fits, it sends only the newest message plus system messages
and pins, and the plan says that it does not fit. `low_water`, which stays on an earlier cut, is in low_water.py beside
this file.
"""

from __future__ import annotations

from lib.context.exchanges import Exchanges, first_true_from_end
from lib.context.plan import Run
from lib.context.reasons import Reason
from lib.context.strategies.options import TrimOptions


def none(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """Send everything as it is stored, whether it fits or not."""
    return exchanges.instructed(exchanges.chosen_by_hand([Run(0, len(exchanges.candidates), True, "fits")]))


def oldest_first(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """Send as many of the newest exchanges as fit."""
    return cut_at(exchanges, newest_that_fit(exchanges, budget), budget)


def sliding_window(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """Send the last exchanges up to a fixed number, fewer if they do not fit. Muted ones do not count."""
    window = exchanges.numbered(exchanges.unmuted(exchanges.count) - options.tail)
    cut = newest_that_fit(exchanges, budget, window)
    if exchanges.unmuted(window) == 0:
        return cut_at(exchanges, cut, budget)
    return exchanges.runs(
        [(cut, exchanges.count, "recent")], [(0, window, "outside_window"), (window, cut, "over_budget")]
    )


def head_and_tail(exchanges: Exchanges, budget: int, options: TrimOptions) -> list[Run]:
    """Send the first exchanges and as many of the newest as fit beside them. Muted ones do not count.

    The first exchanges have priority over all others except the newest, so fewer of them are sent if that one would not
    fit.
    """
    cut = newest_that_fit(exchanges, budget)
    if exchanges.unmuted(cut) == 0 or exchanges.count < 2:
        return cut_at(exchanges, cut, budget)
    newest = exchanges.count - 1
    full_head = min(exchanges.numbered(options.head), newest)
    head = _largest_head(exchanges, budget, full_head, newest)
    cut = min(
        exchanges.first_fitting(head, lambda cut: exchanges.size(cut, head), budget, newest, first_true_from_end),
        newest,
    )
    return exchanges.runs(
        [(0, head, "pinned"), (cut, exchanges.count, "recent")],
        [(head, min(full_head, cut), "over_budget"), (max(head, min(full_head, cut)), cut, "middle")],
    )


def newest_that_fit(exchanges: Exchanges, budget: int, oldest: int = 0) -> int:
    """The oldest cut, not before `oldest`, with which the request fits; the newest exchange if there is none."""
    newest = max(0, exchanges.count - 1)
    return exchanges.first_fitting(min(oldest, newest), exchanges.size, budget, newest, first_true_from_end)


def cut_at(exchanges: Exchanges, cut: int, budget: int, forced: int | None = None) -> list[Run]:
    """Send everything from the cut on.

    The exchanges before `forced` are left out for their size; those from there to the cut would fit, and are left out
    because the strategy drops in batches. Without `forced`, all are left out for their size.
    """
    forced = cut if forced is None else min(forced, cut)
    everything_fits = exchanges.unmuted(cut) == 0 and exchanges.size(cut) <= budget
    reason: Reason = "fits" if everything_fits else "recent"
    left_out: list[tuple[int, int, Reason]] = [(0, forced, "over_budget"), (forced, cut, "batch")]
    return exchanges.runs([(cut, exchanges.count, reason)], left_out)


def _largest_head(exchanges: Exchanges, budget: int, most: int, newest: int) -> int:
    """How many of the first exchanges fit beside the newest one, up to `most`."""
    low, high = 0, most
    while low < high:  # sizes grow with the head
        head = (low + high + 1) // 2
        low, high = (head, high) if exchanges.size(newest, head) <= budget else (low, head - 1)
    return low
