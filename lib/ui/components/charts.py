"""Draws one line per name over the turns of a conversation.

Lines are labelled at their end, and those that run together share one label. Where lines coincide, all of them can be
seen: those below are wider, and every second one is dashed, with dashes where the others have gaps. The axis names who
counted. Streamlit's theme sets the colours of text and background.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any

from lib.ui.components import palette
from lib.ui.components.axes import HEIGHT, graph_objects, lay_out, money_ticks
from lib.ui.format import numbers

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

COLOURS = tuple(palette.STRATEGY_COLOURS.values())
"""Colours of lines that are not strategies, in their order."""
DASH = 7
"""Length of a dash in pixels."""
THIN, WIDER = 2.5, 2.0
"""Width of the topmost lines in pixels, and how much wider each pair below is."""
TOGETHER = 0.02
"""Lines run together if they never differ by more than this part of the highest value."""
LONGEST_LABEL = 18
"""Characters of a name at the end of a line; with a longer one, a legend below has the names."""
ROW_PIXELS, ABOVE = 16, 34
"""Height of a label, and how far above its end a line that ends early is named, in pixels."""
ROW = ROW_PIXELS / (HEIGHT - 80)
"""Height of a label as a part of the plot's height."""
FEW_TURNS = 6
"""Up to so many turns, each has a tick; more do not fit on a phone."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, its points, and how it looks."""

    name: str
    turns: Sequence[int]
    values: Sequence[float]
    colour: str

    @property
    def shown(self) -> str:
        """The name as plotly shall draw it: it takes some HTML, and a name may come from a file."""
        return escape(self.name, quote=False)

    def near(self, other: Line, distance: float) -> bool:
        """Whether two lines have the same turns and nowhere differ by more than `distance`."""
        return len(self.turns) == len(other.turns) and all(
            abs(one - two) <= distance for one, two in zip(self.values, other.values, strict=True)
        )


def growth_lines(
    frame: pd.DataFrame, column: str, axis: str, now: int, *, usd: bool, strategies: Mapping[str, str] | None = None
) -> Figure:
    """One line over the turns per name in the frame's column "strategy"; a vertical line at turn `now`, or none for 0.

    `strategies` gives the strategy of each name, so that its line has the strategy's colour. `axis` begins with the
    unit: it is read after a value ("41 tokens sent (counted)"), and "USD" becomes the $ before it.
    """
    go = graph_objects()

    figure = go.Figure()
    lines = _lines(frame, column, strategies or {})
    labelled = max((len(line.name) for line in lines), default=0) <= LONGEST_LABEL
    for place, (line, texts) in enumerate(zip(lines, _hover_texts(lines, axis, usd=usd), strict=True)):
        figure.add_scatter(
            x=list(line.turns),
            y=list(line.values),
            name=line.shown,
            mode="lines" if len(line.turns) > 1 else "markers",
            line={"color": line.colour, "dash": _dash(place, len(lines)), "width": _width(place, len(lines))},
            text=texts,
            hovertemplate="%{text}<extra></extra>",
            showlegend=not labelled,
        )
    if now:
        figure.add_vline(x=now, line={"color": palette.LEFT_OUT.colour, "dash": "dot"}, annotation_text="now")
    lay_out(figure, axis)
    last = max((line.turns[-1] for line in lines), default=1)
    figure.update_xaxes(_turn_axis(last))
    top = max((max(line.values) for line in lines), default=0.0)
    if usd:
        figure.update_yaxes(money_ticks(top))
    if labelled and lines:
        _label(figure, lines, top, last)
    return figure


def together(frame: pd.DataFrame, column: str) -> list[list[str]]:
    """The names of lines that run together, in groups of two and more. `frame` as in growth_lines."""
    return [[line.name for line in group] for group in _groups(_lines(frame, column, {})) if len(group) > 1]


def together_sentence(frame: pd.DataFrame, column: str) -> str:
    """Which lines run together; empty if none do. Example: "“Batch” and “Ends” run together: they never differ by more
    than 2 % of the highest value."."""
    groups = [numbers.listed([f"“{name}”" for name in names]) for names in together(frame, column)]
    if not groups:
        return ""
    percent = numbers.percent(TOGETHER, 1)
    return f"{'; '.join(groups)} run together: they never differ by more than {percent} of the highest value."


def _lines(frame: pd.DataFrame, column: str, strategies: Mapping[str, str]) -> list[Line]:
    return [
        Line(
            str(name),
            [int(turn) for turn in rows["turn"]],
            [float(value) for value in rows[column]],
            palette.STRATEGY_COLOURS.get(strategies.get(str(name), ""), COLOURS[place % len(COLOURS)]),
        )
        for place, (name, rows) in enumerate(frame.groupby("strategy", sort=False))
    ]


def _dash(place: int, count: int) -> str:
    """Every second line is dashed, each in a place of its own: where lines coincide, their colours alternate."""
    if place % 2 == 0:
        return "solid"
    period = DASH * max(2, count // 2)
    before = DASH * (place // 2)
    return f"0px,{before}px,{DASH}px,{period - DASH - before}px"


def _width(place: int, count: int) -> float:
    """Pixels: the first lines, which are drawn below the others, are wider."""
    return THIN + WIDER * ((count + 1) // 2 - 1 - place // 2)


def _turn_axis(last: int) -> dict[str, Any]:
    """Whole turns with few ticks, of which the first says what they are."""
    ticks: dict[str, Any] = {"dtick": 1} if last <= FEW_TURNS else {"nticks": FEW_TURNS}
    side = 0.5 if last == 1 else 0.2
    return {
        "type": "linear",
        "tickprefix": "turn ",
        "showtickprefix": "first",
        "range": [1 - side, last + side],
    } | ticks


def _groups(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines, those that run together in one group, by the first of each group."""
    distance = TOGETHER * max((max(line.values) for line in lines), default=0.0)
    groups: list[list[Line]] = []
    for line in lines:
        group = next((group for group in groups if line.near(group[0], distance)), None)
        if group is None:
            groups.append([line])
        else:
            group.append(line)
    return groups


def _hover_texts(lines: Sequence[Line], axis: str, *, usd: bool) -> list[list[str]]:
    """A sentence for every point, which names all lines with this value.

    Example: "At turn 11, “Oldest first” and “Last N”: 860 uncached tokens (counted)."
    """
    names: dict[tuple[int, float], list[str]] = {}
    for line in lines:
        for point in zip(line.turns, line.values, strict=True):
            names.setdefault(point, []).append(f"“{line.shown}”")

    def sentence(turn: int, value: float) -> str:
        amount = numbers.money(Decimal(str(value))) if usd else f"{value:,.0f}"
        return f"At turn {turn}, {numbers.listed(names[turn, value])}: {amount} {axis.removeprefix('USD ')}."

    return [[sentence(*point) for point in zip(line.turns, line.values, strict=True)] for line in lines]


def _label(figure: Figure, lines: Sequence[Line], top: float, last: int) -> None:
    """Name the lines: those that reach the last turn beside the plot, the others where they end."""
    groups = _groups(lines)
    reaching = sorted((g for g in groups if g[0].turns[-1] == last), key=lambda g: -g[0].values[-1])
    heights = spread_labels([g[0].values[-1] / (top or 1) for g in reaching], [ROW * len(g) for g in reaching])
    for group, height in zip(reaching, heights, strict=True):
        figure.add_annotation(
            text=_names(group),
            x=1,
            xref="paper",
            y=height * (top or 1),
            xanchor="left",
            yanchor="middle",
            align="left",
            showarrow=False,
            xshift=6,
        )
    early = sorted((g for g in groups if g[0].turns[-1] < last), key=lambda g: -g[0].turns[-1])
    for place, group in enumerate(early):
        _label_early(figure, group, ABOVE + ROW_PIXELS * 2 * place)
    longest = max((len(line.name) for group in reaching for line in group), default=0)
    figure.update_layout(margin_r=32 + 7 * longest)


def _label_early(figure: Figure, group: Sequence[Line], above: int) -> None:
    """Name lines that end before the last turn: a cross at the end, and the names so many pixels above it."""
    end, value = group[0].turns[-1], group[0].values[-1]
    figure.add_scatter(
        x=[end],
        y=[value],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={"symbol": "x", "size": 8, "color": group[0].colour},
    )
    figure.add_annotation(
        text=_names(group), x=end, y=value, ax=0, ay=-above, align="left", arrowhead=0, arrowcolor=group[0].colour
    )


def _names(group: Sequence[Line]) -> str:
    return "<br>".join(f'<span style="color:{line.colour}">━</span> {line.shown}' for line in group)


def spread_labels(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Where to put labels of these heights so that none covers another, each as near as possible to where it should be.

    `wanted` are from the highest to the lowest, as parts of the plot; so are the results.
    """
    places: list[float] = []
    for want, height in zip(wanted, heights, strict=True):
        limit = places[-1] - (heights[len(places) - 1] + height) / 2 if places else want
        places.append(min(want, limit))
    floor = 0.0
    for at in range(len(places) - 1, -1, -1):
        places[at] = max(places[at], floor + heights[at] / 2)
        floor = places[at] + heights[at] / 2
    return places
