"""The ranked sentence of a run, the chart below it, and the table for each model."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from lib.prompt_sets.ranking import Ranking, Standing, rank
from lib.ui.components import axes, palette, tables
from lib.ui.format import numbers
from lib.ui.prompt_sets import sentences
from lib.ui.prompt_sets.carrying_out import Opened

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

ROW_HEIGHT, AROUND = 46, 70
"""Pixels of a model's row in the chart, and of what is around the rows."""
HELP = (
    "The interval is Wilson's, for 95 %. Two models are told apart by McNemar's exact test on the prompts that both"
    " were checked on, corrected after Holm for the number of models. Times are means with resampled intervals."
)


def draw(found: Opened) -> None:
    """For what is there so far, if the run goes on."""
    ranking, labels = rank(found.answers.values(), len(found.run.models)), found.run.labels
    st.markdown(sentences.ranked(ranking, labels), help=HELP)
    st.caption(sentences.cost(ranking.standings))
    if any(each.judged for each in ranking.standings):
        st.plotly_chart(chart(ranking, labels), key="prompt_run_chart", config=tables.CHART)
    tables.draw(frame(ranking, labels), "models", "What each model passed, cost and took", title="For each model")


def chart(ranking: Ranking, labels: tuple[str, ...]) -> Figure:
    """The part that each model passed, as a dot on its interval, the best on top."""
    go = axes.graph_objects()

    shown = [each for each in ranking.standings if each.judged]
    rates = [100 * each.rate for each in shown]
    intervals = [each.interval for each in shown]
    figure = go.Figure()
    figure.add_scatter(
        x=rates,
        y=[escape(labels[each.model], quote=False) for each in shown],
        mode="markers",
        marker={"size": 12, "color": palette.HISTORY.colour},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [100 * high - rate for rate, (_, high) in zip(rates, intervals, strict=True)],
            "arrayminus": [rate - 100 * low for rate, (low, _) in zip(rates, intervals, strict=True)],
            "color": palette.HISTORY.colour,
            "thickness": 2,
        },
        text=[_hover(each, labels) for each in shown],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(
        height=AROUND + ROW_HEIGHT * len(shown), margin={"l": 8, "r": 16, "t": 8, "b": 8}, hovermode="closest"
    )
    figure.update_xaxes(range=[-2, 102], ticksuffix=" %", title_text="passed, with 95 % confidence", automargin=True)
    figure.update_yaxes(autorange="reversed", automargin=True, title_text="")
    return figure


def _hover(standing: Standing, labels: tuple[str, ...]) -> str:
    low, high = (numbers.percent(edge, 1) for edge in standing.interval)
    name = escape(labels[standing.model], quote=False)
    return f"{name} passed {standing.passed} of {standing.judged}: between {low} and {high}"


def frame(ranking: Ranking, labels: tuple[str, ...]) -> pd.DataFrame:
    """One row per model, the best first."""
    import pandas as pd

    return pd.DataFrame([_row(each, labels[each.model]) for each in ranking.standings])


def _row(standing: Standing, label: str) -> dict[str, object]:
    low, high = standing.interval
    between = standing.between
    return {
        "model": label,
        "passed": standing.passed,
        "checked": standing.judged,
        "rate": numbers.percent(standing.passed, standing.judged) if standing.judged else "not checked",
        "95 % between": f"{numbers.percent(low, 1)} and {numbers.percent(high, 1)}" if standing.judged else "",
        "answered": standing.answered,
        "no answer": standing.errors,
        "mean time": numbers.duration(standing.seconds),
        "95 % of the mean between": ""
        if between is None
        else f"{numbers.duration(between.low)} and {numbers.duration(between.high)}",
        "mean time to the first word": numbers.duration(standing.first_seconds),
        "tokens in (billed)": numbers.NOT_REPORTED if standing.tokens_in is None else f"{standing.tokens_in:,}",
        "tokens out (billed)": numbers.NOT_REPORTED if standing.tokens_out is None else f"{standing.tokens_out:,}",
        "cost": numbers.money(standing.cost),
        "cost of the judge": "" if standing.judge_cost is None else numbers.money(standing.judge_cost),
    }
