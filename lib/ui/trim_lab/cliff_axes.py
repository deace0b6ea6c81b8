"""The axes of the cliff map: round budgets beside it, message numbers below it, and where the present budget stands."""

from __future__ import annotations

from bisect import bisect_left
from math import log

from lib.lab.cliff_map import CliffMap
from lib.tokens import Provenance, provenance_label
from lib.ui.components.cliff_canvas import Axes, Tick

MOST_TICKS = 8
"""Message numbers below the map, at most; more do not fit on a phone."""
MESSAGE_STEPS = tuple(factor * 10**power for power in range(7) for factor in (1, 2, 5))
TICKS_APART = 0.07
"""How far apart two budgets on the axis are, as a part of the map's height."""


def axes(cliffs: CliffMap, size: int, present: int, provenance: Provenance) -> Axes:
    """The axes of a map of `size` messages; `present` is the chat's budget in tokens."""
    above = " (above the map)" if present > cliffs.budgets[-1] else ""
    step = next(step for step in MESSAGE_STEPS if size / step <= MOST_TICKS)
    messages = [1, *range(step if step > 1 else 2, size + 1, step)]
    return Axes(
        [Tick(height_of(cliffs, budget), f"{budget:,}") for budget in round_budgets(cliffs)],
        [Tick((number - 0.5) / size, f"{number:,}") for number in messages],
        f"budget in tokens ({provenance_label(provenance)})",
        "message number",
        Tick(min(0.995, height_of(cliffs, present)), f"now {present:,}{above}"),
    )


def height_of(cliffs: CliffMap, budget: int) -> float:
    """Where a budget stands on the map, as a part of its height: at the middle of its row, or between two rows."""
    at = cliffs.budgets
    place = bisect_left(at, budget)
    if place == len(at):
        return 1.0
    if not place or at[place] == budget:
        return (place + 0.5) / len(at)
    between = (log(budget) - log(at[place - 1])) / (log(at[place]) - log(at[place - 1]))
    return (place - 0.5 + between) / len(at)


def round_budgets(cliffs: CliffMap) -> list[int]:
    """Round budgets for the axis, not too near to each other."""
    lowest, highest = cliffs.budgets[0], cliffs.budgets[-1]
    powers = range(len(str(highest)))
    candidates = sorted(round(first * 10**power) for first in (1, 1.5, 2, 3, 5, 7) for power in powers)
    shown: list[int] = []
    for budget in candidates:
        apart = not shown or height_of(cliffs, budget) - height_of(cliffs, shown[-1]) >= TICKS_APART
        if lowest <= budget <= highest and apart:
            shown.append(budget)
    return shown
