"""Which column is best by the chosen measure: one sentence, a ranked table and a small chart."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import streamlit as st

from lib.analysis.ranking import (
    COST,
    FIRST_WORD,
    MEASURES,
    READ,
    SPEED,
    TOTAL_TIME,
    Measure,
    Ranking,
    Result,
    rank,
    results_of,
)
from lib.ui.compare import state
from lib.ui.compare.column import Column
from lib.ui.components import axes, tables
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.shell import services

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

LABELS = {
    READ: "Tokens read",
    FIRST_WORD: "First word",
    SPEED: "Tokens per second",
    TOTAL_TIME: "Whole time",
    COST: "Cost",
}
WINS = {
    READ: "reads least",
    FIRST_WORD: "begins to answer first",
    SPEED: "writes fastest",
    TOTAL_TIME: "is done first",
    COST: "costs least",
}
WIN_TOGETHER = {
    READ: "read the same",
    FIRST_WORD: "begin to answer at about the same time",
    SPEED: "write about equally fast",
    TOTAL_TIME: "take about the same time",
    COST: "cost the same",
}
LESS = {READ: "less", FIRST_WORD: "less", SPEED: "more", TOTAL_TIME: "less", COST: "less"}
NO_WINNER = "No winner yet.  \nThe columns are compared as soon as each of them has answered."
"""In two lines, which is what the sentence takes that follows."""
ROW, CHART_ROW, CHART_EDGE = 35, 32, 16
"""Pixels of a row of the table, of a bar, and of the space around the bars."""


def draw(columns: Sequence[Column]) -> None:
    """The measure to choose, and what comes of it."""
    measure = MEASURES[
        st.segmented_control(
            "Rank by",
            list(MEASURES),
            default=READ,
            required=True,
            format_func=LABELS.__getitem__,
            key=state.MEASURE,
            bind="query-params",
            wrap=True,
        )
        or READ
    ]
    ranking = rank(results_of([(each.heading, each.turns) for each in columns], services.find_model), measure)
    st.markdown(sentence(ranking, len(columns)).replace("$", "\\$"))
    if not ranking.results:  # the libraries for tables and charts take a while to load: the columns must not wait
        st.skeleton(height=_table_height(len(columns)))
        st.skeleton(height=_chart_height(len(columns)))
        return
    rows = _padded(ranking, columns)
    st.dataframe(
        frame(rows),
        hide_index=True,
        height=_table_height(len(columns)),
        key="compare_table",
        alt="The columns in order, with their figures",
    )
    st.plotly_chart(
        bars(rows, measure),
        config=tables.CHART,
        height=_chart_height(len(columns)),
        key="compare_chart",
        alt=f"{LABELS[measure.name]} of each column",
    )


def _table_height(rows: int) -> int:
    """Pixels."""
    return ROW * (rows + 1) + 2


def _chart_height(bars: int) -> int:
    """Pixels."""
    return CHART_ROW * bars + CHART_EDGE


def sentence(ranking: Ranking, columns: int) -> str:
    """Markdown. Example: "**B: small-1 reads least**: 312 tokens over 4 answers, 41 % less than A: small-1 (530)." """
    results, measure = ranking.results, ranking.measure
    if len(results) < columns:
        return NO_WINNER
    over = f"over {numbers.plural(results[0].answers, 'answer')}"
    if not ranking.winners:
        return f"No winner: the {LABELS[measure.name].lower()} of these answers is {numbers.NOT_REPORTED}."
    words = f"{_winners(ranking)} {over}{_lead(ranking)}."
    unknown = [as_label(result.name, 90) for result in ranking.unknown]
    if unknown:
        words += f" {numbers.listed(unknown)}: {numbers.NOT_REPORTED}."
    if any(result.stopped for result in results):
        words += " Some replies were cut off, which makes them shorter."
    return words


def _winners(ranking: Ranking) -> str:
    measure, best = ranking.measure, ranking.results[: ranking.winners]
    value = shown(measure, best[0])
    if len(best) == 1:
        return f"**{as_label(best[0].name, 90)} {WINS[measure.name]}**: {value}"
    return f"**{numbers.listed([as_label(each.name, 90) for each in best])} {WIN_TOGETHER[measure.name]}**: {value}"


def _lead(ranking: Ranking) -> str:
    """How far the winner is ahead of the next. Example: ", 41 % less than B (530)"."""
    measure, known = ranking.measure, len(ranking.results) - len(ranking.unknown)
    if ranking.winners != 1 or known < 2:
        return ""
    first, second = (measure.value(each) for each in ranking.results[:2])
    assert first is not None
    assert second is not None
    name = as_label(ranking.results[1].name, 90)
    if not second:
        return ""
    part = numbers.percent(abs(float(second) - float(first)), float(second))
    return f", {part} {LESS[measure.name]} than {name} ({shown(measure, ranking.results[1])})"


def shown(measure: Measure, result: Result) -> str:
    """A result's value in words. Example: "312 tokens"."""
    value = measure.value(result)
    if value is None:
        return numbers.NO_PRICE if measure.name == COST else numbers.NOT_REPORTED
    if isinstance(value, Decimal):
        return "free" if not value else numbers.money(value)
    if measure.name == READ:
        return f"{int(value):,} tokens"
    return f"{value:,.0f} tokens/s" if measure.name == SPEED else numbers.duration(value / 1000)


def _padded(ranking: Ranking, columns: Sequence[Column]) -> list[Result]:
    """The results in order, and then the columns without an answer: the table never changes its size."""
    named = {result.name for result in ranking.results}
    return [*ranking.results, *(Result(each.heading, 0) for each in columns if each.heading not in named)]


def frame(results: Sequence[Result]) -> pd.DataFrame:
    """One row per column in the order of the ranking."""
    import pandas as pd

    rows = [
        (
            _letter(result),
            _count(result.read),
            _count(result.wrote),
            numbers.NOT_REPORTED if result.cached is None else numbers.percent(result.cached, result.read or 0),
            shown(MEASURES[FIRST_WORD], result),
            shown(MEASURES[SPEED], result),
            shown(MEASURES[TOTAL_TIME], result),
            shown(MEASURES[COST], result),
            f"{result.not_sent:,}",
            numbers.who_counted(result.provenances),
        )
        if result.answers
        else (_letter(result), *["…"] * 9)
        for result in results
    ]
    names = ("", "Read", "Written", "From the cache", "First word", "Speed", "Whole time", "Cost")
    return pd.DataFrame(rows, columns=[*names, "Not sent", "Who counted"])


def _letter(result: Result) -> str:
    """Of a heading. Example: "A: gpt-6-luna" -> "A"."""
    return result.name.split(":")[0]


def _count(tokens: int | None) -> str:
    return numbers.NOT_REPORTED if tokens is None else f"{tokens:,}"


def bars(results: Sequence[Result], measure: Measure) -> Figure:
    """The chosen measure of each column, the best on top; what is not known has no bar."""
    go = axes.graph_objects()

    letters = [_letter(result) for result in results]
    values = [measure.value(result) for result in results]
    figure = go.Figure(
        go.Bar(
            x=[None if value is None else float(value) for value in values],
            y=letters,
            orientation="h",
            text=[shown(measure, result) if result.answers else "" for result in results],
            textposition="auto",
            hoverinfo="skip",
        )
    )
    figure.update_layout(
        height=_chart_height(len(results)),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={"visible": False, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "type": "category"},
        showlegend=False,
    )
    return figure
