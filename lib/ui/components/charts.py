"""Draws DataFrames as plotly figures, with the parts of a request in the colours of the window strip.

Every axis and trace with numbers names who counted them. Colour is never the only signal: order, hatching, dashes and
the legend carry the same. Streamlit's theme sets the colours of text and background.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lib.analysis.frames import PARTS
from lib.ui.components import palette
from lib.ui.components.palette import Part

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
REPORTED_SYMBOLS = {"billed": "diamond-open", "counted": "circle-open"}
"""The mark for the server's own figure, by who counted it."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px 2px 2px 2px")
LINES = tuple(palette.STRATEGY_COLOURS.values())
"""Colours of lines that are not strategies, in their order."""


def request_bars(frame: pd.DataFrame, who: str, *, with_dropped: bool) -> Figure:
    """One bar per request: its parts, the reply on top and, hatched, the dropped messages; an open mark is the
    server's figure.

    `frame` is from frames.requests; `who` names who counted.
    """
    from plotly import graph_objects as go

    figure = go.Figure()
    for column, part in PART_OF_COLUMN.items():
        if frame[column].any():
            figure.add_bar(
                x=frame["request"],
                y=frame[column],
                name=part.label,
                marker_color=part.colour,
                hovertemplate=_tokens(part.label),
            )
    figure.add_bar(
        x=frame["request"],
        y=frame["reply"],
        name="reply",
        marker_color=palette.REPLY.colour,
        hovertemplate=_tokens("reply"),
    )
    if with_dropped and frame["not sent"].any():
        figure.add_bar(
            x=frame["request"],
            y=frame["not sent"],
            name="dropped",
            hovertemplate=_tokens("dropped, not sent"),
            marker={
                "color": "rgba(138,143,152,.15)",
                "pattern": {"shape": "/", "fgcolor": palette.LEFT_OUT.colour, "size": 5},
            },
        )
    _add_reported(figure, frame)
    figure.update_layout(barmode="stack", bargap=0.25)
    return _laid_out(figure, f"tokens ({who})")


def _add_reported(figure: Figure, frame: pd.DataFrame) -> None:
    """The server's own figures as diamonds, one trace for each way of counting."""
    reported = frame[frame["read by the server"].notna()]
    for by, rows in reported.groupby("who counted for the server"):
        figure.add_scatter(
            x=rows["request"],
            y=rows["read by the server"].astype(int),
            name=f"request, {by} by the server",
            mode="markers",
            marker={
                "symbol": REPORTED_SYMBOLS.get(str(by), "square-open"),
                "size": 9,
                "color": palette.OVER.colour,
                "line": {"width": 2},
            },
            hovertemplate=_tokens(f"request, {by} by the server"),
        )


def money_bars(frame: pd.DataFrame, basis: str) -> Figure:
    """One bar per request with the parts of its cost; the line is the sum so far, on the right axis. All in USD."""
    from plotly import graph_objects as go

    figure = go.Figure()
    for column, colour in PRICED_COLUMNS.items():
        if frame[column].fillna(0).any():
            figure.add_bar(
                x=frame["request"], y=frame[column], name=column, marker_color=colour, hovertemplate=_usd(column)
            )
    figure.add_scatter(
        x=frame["request"],
        y=frame["so far"],
        name="so far (right axis)",
        mode="lines",
        yaxis="y2",
        line={"color": palette.SYSTEM.colour, "dash": "dot", "width": 2},
        hovertemplate=_usd("so far"),
    )
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
            "tickprefix": "$",
            "tickformat": "~g",
        },
    )
    _laid_out(figure, f"USD ({basis})")
    figure.update_yaxes(tickprefix="$", tickformat="~g", selector={"overlaying": None})
    return figure


def growth_lines(
    frame: pd.DataFrame, column: str, axis: str, now: int, *, usd: bool, strategies: Mapping[str, str] | None = None
) -> Figure:
    """One line over the turns per name in the frame's column "strategy"; a vertical line at turn `now`, or none for 0.

    `strategies` gives the strategy of each name, so that its line has the strategy's colour.
    """
    from plotly import graph_objects as go

    figure = go.Figure()
    for place, (name, rows) in enumerate(frame.groupby("strategy", sort=False)):
        strategy = (strategies or {}).get(str(name), "")
        colour = palette.STRATEGY_COLOURS.get(strategy, LINES[place % len(LINES)])
        figure.add_scatter(
            x=rows["turn"],
            y=rows[column],
            name=str(name),
            mode="lines",
            line={"color": colour, "dash": DASHES[place % len(DASHES)], "width": 2.5},
            hovertemplate=_usd(str(name)) if usd else _tokens(str(name)),
        )
    if now:
        figure.add_vline(x=now, line={"color": palette.LEFT_OUT.colour, "dash": "dot"}, annotation_text="now")
    _laid_out(figure, axis)
    figure.update_xaxes(title_text="turn", type="linear", dtick=1 if len(frame) and frame["turn"].max() <= 12 else None)
    if usd:
        figure.update_yaxes(tickprefix="$", tickformat="~g")
    return figure


def _laid_out(figure: Figure, axis: str) -> Figure:
    """Set what all charts share: a legend that wraps below, small margins, one hover box."""
    figure.update_layout(
        height=380,
        margin={"l": 8, "r": 8, "t": 12, "b": 8},
        hovermode="x unified",
        legend={"orientation": "h", "yanchor": "top", "y": -0.18, "x": 0, "title_text": ""},
        yaxis={"title_text": axis, "rangemode": "tozero", "tickformat": ","},
        xaxis={"title_text": "", "type": "category", "automargin": True, "nticks": 12},
    )
    return figure


def _tokens(name: str) -> str:
    return "%{y:,} " + name + "<extra></extra>"


def _usd(name: str) -> str:
    return "$%{y:.3~g} " + name + "<extra></extra>"
