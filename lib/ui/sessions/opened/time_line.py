"""When each turn of the open session ran, how long it took, and what it was sent: a sentence, a chart and a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lib.tokens import provenance_label
from lib.turns import Turn
from lib.ui.components import axes, palette, tables
from lib.ui.format import moments, numbers
from lib.ui.shell.page import Page

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

MOST_BARS = 60
"""Turns in the chart; older ones are chosen with a slider."""


def draw(page: Page) -> None:
    """The turns in their order."""
    assert page.chat is not None
    turns = page.chat.store.turns(page.session_id)
    if not turns:
        st.info("No turn is recorded: another service wrote these messages, or they were imported.")
        return
    st.markdown(sentence(turns))
    shown = turns[tables.visible_range(turns, MOST_BARS, f"time_line:{page.session_id}")]
    if any(turn.duration_ms is not None for turn in shown):
        st.plotly_chart(_figure(shown), config=tables.CHART, key="time_line", alt="How long each turn took")
    tables.show(frame(turns), "turns", "When each turn ran, how long it took, and what it was sent")


def sentence(turns: Sequence[Turn]) -> str:
    """Example: "**4 turns in 12 m 3 s.** The longest took 3.4 s (turn 4); messages were dropped in 2 of them."."""
    first, last = turns[0].started_at, turns[-1].started_at
    spread = f" in {numbers.duration(last - first)}" if len(turns) > 1 and last > first > 0 else ""
    timed = [turn for turn in turns if turn.duration_ms is not None]
    parts = []
    if timed:
        longest = max(timed, key=lambda turn: turn.duration_ms or 0)
        parts.append(f"the longest took {numbers.duration((longest.duration_ms or 0) / 1000)} (turn {longest.number})")
    dropped = sum(turn.plan is not None and turn.plan.left_out > 0 for turn in turns)
    parts.append(f"messages were dropped in {dropped:,} of them" if dropped else "no message was dropped")
    words = "; ".join(parts)
    return f"**{numbers.plural(len(turns), 'turn')}{spread}:** {words}."


def frame(turns: Sequence[Turn]) -> pd.DataFrame:
    """One row per turn."""
    import pandas as pd

    return pd.DataFrame(
        {
            "Turn": [turn.number for turn in turns],
            "When": [moments.moment(turn.started_at) if turn.started_at > 0 else "not known" for turn in turns],
            "First word": [_seconds(turn.first_token_ms) for turn in turns],
            "Took": [_seconds(turn.duration_ms) for turn in turns],
            "Tokens in": pd.array([turn.usage.input_tokens for turn in turns], dtype="Int64"),
            "Tokens out": pd.array([turn.usage.output_tokens for turn in turns], dtype="Int64"),
            "Who counted": [_counted(turn) for turn in turns],
            "Sent": [_sent(turn) for turn in turns],
            "Dropped": pd.array([None if turn.plan is None else turn.plan.left_out for turn in turns], dtype="Int64"),
            "How it ended": ["stopped" if turn.status == "stopped" else "complete" for turn in turns],
        }
    )


def _seconds(milliseconds: float | None) -> str:
    return numbers.duration(None if milliseconds is None else milliseconds / 1000)


def _counted(turn: Turn) -> str:
    return numbers.NOT_REPORTED if turn.usage.input_tokens is None else provenance_label(turn.usage_provenance)


def _sent(turn: Turn) -> str:
    """Example: "6 of 8 messages"."""
    if turn.plan is None:
        return "not planned"
    sent = turn.plan.sent - (turn.plan.system_tokens is not None)
    return f"{sent:,} of {numbers.plural(turn.plan.stored + 1, 'message')}"


def _figure(turns: Sequence[Turn]) -> Figure:
    """One bar per turn: the wait for the first word, and the time in which the reply was written."""
    go = axes.graph_objects()

    names = [f"turn {turn.number}" for turn in turns]
    waits = [(turn.first_token_ms or 0) / 1000 for turn in turns]
    rests = [max(0.0, (turn.duration_ms or 0) / 1000 - wait) for turn, wait in zip(turns, waits, strict=True)]
    texts = [_hover(turn) for turn in turns]
    figure = go.Figure()
    parts = (("waiting for the first word", waits, palette.HISTORY), ("writing the reply", rests, palette.REPLY))
    for name, seconds, part in parts:
        figure.add_bar(
            x=names, y=seconds, name=name, marker_color=part.colour, text=texts, textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    axes.lay_out(figure, "seconds")
    figure.update_layout(barmode="stack", height=300)
    figure.update_xaxes(axes.request_ticks(names))
    return figure


def _hover(turn: Turn) -> str:
    """A sentence about one turn."""
    dropped = 0 if turn.plan is None else turn.plan.left_out
    lost = f", {numbers.plural(dropped, 'message')} dropped" if dropped else ""
    took = numbers.duration(None if turn.duration_ms is None else turn.duration_ms / 1000)
    return f"Turn {turn.number}, {moments.moment(turn.started_at)}: took {took}, sent {_sent(turn)}{lost}"
