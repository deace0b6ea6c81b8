"""The tokens page, request by request: how each one grew, as bars and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lib.analysis import frames
from lib.analysis.bills import Bill
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.tokens import ESTIMATE, PROVENANCE_TEXT, TokenCounter
from lib.tokens.model_counters import counter_for
from lib.ui.components import charts, message_sizes, tables
from lib.ui.format import numbers
from lib.ui.shell.page import Page

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 60
"""Bars drawn at once; more are a blur on a phone."""


def draw(page: Page, records: Sequence[RequestRecord], sizes: MessageSizes, bills: Sequence[Bill]) -> None:
    """The takeaway, who counts, the bars, the table."""
    if not records:
        st.info(
            "No stored message belongs to a request any more, so there are no bars to draw. The money is still known."
        )
        return
    slot = st.empty()
    shown = tables.visible_range(records, SHOWN, "requests_shown")
    chosen = _chosen(page, sizes)
    frame = frames.requests(records, chosen)
    slot.markdown(takeaway(frame, chosen))
    part = frame.iloc[shown]
    ghosts = part["left out"].max() <= 3 * part["sent"].max()
    figure = charts.request_bars(part, numbers.mark(chosen.provenance), left_out=bool(ghosts))
    st.plotly_chart(figure, key="request_bars", alt=alt(part, chosen), config=tables.CHART)
    if not ghosts:
        st.caption(
            f"What was left out is not drawn: up to {part['left out'].max():,} tokens would dwarf the bars. The table"
            " has it."
        )
    st.caption(PROVENANCE_TEXT[chosen.provenance])
    tables.draw(frame, "requests", "Every request with its parts, in tokens")


def takeaway(frame: pd.DataFrame, sizes: MessageSizes) -> str:
    """Example: "**The newest request holds 871 tokens (counted), 830 of them not new.** So far 9,120 of the 9,310 ..." """
    last = frame.iloc[-1]
    whole = numbers.sized(int(last["sent"]), sizes.provenance)
    said = f"**The newest request holds {whole}, {int(last['re-sent']):,} of them not new.** "
    said += (
        f"So far {int(last['re-sent so far']):,} of the {int(frame['sent'].sum()):,} tokens sent were not what was"
        " typed"
    )
    left_out = int(last["left out"])
    return said + (f"; {left_out:,} tokens no longer fit and are left out." if left_out else ".")


def alt(frame: pd.DataFrame, sizes: MessageSizes) -> str:
    """The chart in words."""
    first, last = frame.iloc[0], frame.iloc[-1]
    return (
        f"Stacked bars of {len(frame)} requests by {numbers.by(sizes.counter)}: from {int(first['sent']):,} tokens in"
        f" {first['request']} to {int(last['sent']):,} in {last['request']}."
    )


def _chosen(page: Page, sizes: MessageSizes) -> MessageSizes:
    """The counter the bars are drawn by: the model's own, or another to compare."""
    counters = other_counters(sizes.counter)
    name = st.selectbox(
        "Counted by",
        list(counters),
        key="bars_by",
        width=340,
        format_func=lambda name: numbers.by(counters[name]),
        help="The model's own counter, or another one on the same messages: the bars change, what was sent does not.",
    )
    return sizes if name == sizes.counter.name else message_sizes.sized(page, counters[name])


def other_counters(own: TokenCounter) -> Mapping[str, TokenCounter]:
    """By name: the model's own counter, then others to hold it against."""
    others = (counter_for("openai", "gpt-5"), counter_for("anthropic", "claude-opus-5"), ESTIMATE)
    return {counter.name: counter for counter in (*others[::-1], own)[::-1]}
