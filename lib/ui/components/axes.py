"""What all charts share: Plotly itself, margins, the axis' name above the plot, short ticks for turns, and round ticks
for money."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 380
"""Pixels."""
MOST_TICKS = 10
"""Ticks below the bars: more do not fit on a phone."""
MONEY_TICKS = 6
"""About how many ticks a money axis has."""


def graph_objects() -> ModuleType:
    """Plotly's `graph_objects`, once pandas is loaded.

    Plotly looks for pandas among the modules that are loaded, and fails when another thread has only begun to load it.
    """
    importlib.import_module("pandas")
    return importlib.import_module("plotly.graph_objects")


def lay_out(figure: Figure, axis: str) -> None:
    """Set the margins, the legend at the bottom, and the axis' name: level and above the plot, where it takes no width
    and meets no legend."""
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 8, "r": 8, "t": 34, "b": 8},
        hovermode="closest",
        hoverlabel={"namelength": -1},
        legend={
            "orientation": "h",
            "yref": "container",
            "yanchor": "bottom",
            "y": 0,
            "x": 0,
            "title_text": "",
            "traceorder": "normal",
        },
        yaxis={"title_text": "", "rangemode": "tozero", "tickformat": ",", "automargin": True},
        xaxis={"title_text": "", "automargin": True, "tickangle": 0},
    )
    figure.add_annotation(
        text=axis, xref="paper", yref="paper", x=0, y=1, xanchor="left", yanchor="bottom", showarrow=False, yshift=8
    )


def request_ticks(names: Sequence[str]) -> dict[str, Any]:
    """The axis below bars, one for each of these names: short labels, and no more than fit on a phone.

    Example: "turn 1", "turn 2", "turn 3" -> "turn 1", "2", "3"
    """
    step = math.ceil(len(names) / MOST_TICKS) if names else 1
    shown = list(names)[::step]
    labels, kind_before = [], ""
    for name in shown:
        kind, _, number = name.rpartition(" ")
        labels.append(number if kind == kind_before else name)
        kind_before = kind
    return {"type": "category", "tickmode": "array", "tickvals": shown, "ticktext": labels}


def money_ticks(top: float) -> dict[str, Any]:
    """A money axis up to `top` USD, with round ticks that have as many digits as their step needs.

    Example: top 0.0023 -> $0, $0.0005, $0.0010, $0.0015, $0.0020
    """
    if top <= 0:
        return {"tickvals": [0], "ticktext": ["$0"], "range": [0, 1]}
    rough = top / MONEY_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    places = places if step >= 1 else max(2, places)
    values = [step * number for number in range(int(top / step + 1e-9) + 1)]
    texts = ["$0", *(f"${value:,.{places}f}" for value in values[1:])]
    return {"tickmode": "array", "tickvals": values, "ticktext": texts, "range": [0, top * 1.06]}
