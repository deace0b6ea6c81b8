"""Draws requests as stacked bars, with the parts of a request in the colours of the window strip, or their costs.

The axis names who counted. Colour is never the only signal: order, hatching and the legend carry the same. Streamlit's
theme sets the colours of text and background.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from lib.analysis.frames import PARTS
from lib.ui.components import palette
from lib.ui.components.axes import graph_objects, lay_out, money_ticks, request_ticks
from lib.ui.components.palette import Part
from lib.ui.format import numbers

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

PART_OF_COLUMN: dict[str, Part] = dict(
    zip(PARTS, (palette.TEMPLATE, palette.SYSTEM, palette.PINNED, palette.HISTORY, palette.NEWEST), strict=True)
)
PRICED_COLUMNS = {
    "input": palette.HISTORY.colour,
    "cached input": palette.NEWEST.colour,
    "written to the cache": palette.PINNED.colour,
    "output": palette.REPLY.colour,
    "hidden": palette.TEMPLATE.colour,
}
SHORT_LABELS = {palette.TEMPLATE: "chat template", palette.HISTORY: "history"}
"""Labels for the legend, where the whole ones leave no room for two beside each other on a phone."""
REPORTED_SYMBOLS = {"billed": "diamond-open", "counted": "circle-open"}
"""The mark for the server's own figure, by who counted it."""


def request_bars(frame: pd.DataFrame, who: str, *, with_dropped: bool) -> Figure:
    """One bar per request: its parts, the reply on top and, hatched, the dropped messages; an open mark is the
    server's figure.

    `frame` is from frames.requests; `who` names who counted.
    """
    go = graph_objects()

    figure = go.Figure()
    for column, part in PART_OF_COLUMN.items():
        if frame[column].any():
            _add_tokens(figure, frame, column, part.label, part.colour, SHORT_LABELS.get(part, ""))
    _add_tokens(figure, frame, "reply", "reply", palette.REPLY.colour)
    if with_dropped and frame["not sent"].any():
        figure.add_bar(
            x=frame["request"],
            y=frame["not sent"],
            name="dropped",
            hovertemplate=_sentence("dropped, not sent"),
            marker={
                "color": "rgba(138,143,152,.15)",
                "pattern": {"shape": "/", "fgcolor": palette.LEFT_OUT.colour, "size": 5},
            },
        )
    _add_reported(figure, frame)
    figure.update_layout(barmode="stack", bargap=0.25)
    lay_out(figure, f"tokens ({who})")
    figure.update_xaxes(request_ticks(list(frame["request"])))
    return figure


def _add_tokens(figure: Figure, frame: pd.DataFrame, column: str, label: str, colour: str, short: str = "") -> None:
    figure.add_bar(
        x=frame["request"], y=frame[column], name=short or label, marker_color=colour, hovertemplate=_sentence(label)
    )


def _sentence(what: str) -> str:
    """The hover text of a bar's part. Example: "turn 3: 43 tokens, history that is sent."."""
    return f"%{{x}}: %{{y:,}} tokens, {what}.<extra></extra>"


def _add_reported(figure: Figure, frame: pd.DataFrame) -> None:
    """The server's own figures, one trace and one mark for each way of counting."""
    reported = frame[frame["read by the server"].notna()]
    for by, rows in reported.groupby("who counted for the server"):
        figure.add_scatter(
            x=rows["request"],
            y=rows["read by the server"].astype(int),
            name=f"{by} by the server",
            mode="markers",
            marker={
                "symbol": REPORTED_SYMBOLS.get(str(by), "square-open"),
                "size": 9,
                "color": palette.OVER.colour,
                "line": {"width": 2},
            },
            hovertemplate=f"%{{x}}: the server read %{{y:,}} tokens ({by}).<extra></extra>",
        )


def money_bars(frame: pd.DataFrame, basis: str) -> Figure:
    """One bar per request with the parts of its cost in USD. `frame` is from frames.money; `basis` says whose tokens
    were priced."""
    go = graph_objects()

    figure = go.Figure()
    for column, colour in PRICED_COLUMNS.items():
        if frame[column].fillna(0).any():
            figure.add_bar(
                x=frame["request"],
                y=frame[column],
                name=column,
                marker_color=colour,
                customdata=[numbers.money(Decimal(str(value))) if value == value else "" for value in frame[column]],
                hovertemplate=f"%{{x}}: %{{customdata}} for {column}.<extra></extra>",
            )
    figure.update_layout(barmode="stack", bargap=0.25)
    lay_out(figure, f"USD ({basis})")
    figure.update_xaxes(request_ticks(list(frame["request"])))
    figure.update_yaxes(money_ticks(float(frame["cost"].fillna(0).max())))
    return figure
