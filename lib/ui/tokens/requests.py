"""The tab "Request by request": how each request grew, as bars and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from lib.analysis import frames
from lib.analysis.requests import MessageSizes
from lib.tokens import ESTIMATE, PROVENANCE_TEXT, TokenCounter, provenance_label
from lib.tokens.model_counters import counter_for
from lib.ui.components import charts, message_sizes, tables
from lib.ui.format import numbers
from lib.ui.shell.page import Page
from lib.ui.tokens.sent_requests import SentRequests

if TYPE_CHECKING:
    import pandas as pd

MOST_BARS = 60
"""Bars drawn at once; more are a blur on a phone."""
DWARFED = 3
"""Dropped messages are not drawn if they are more than this many times as large as the largest request."""


def draw(sent: SentRequests) -> None:
    """Draw the takeaway, the choice of counter, the bars and the table."""
    if not sent.records:
        st.info("No stored message belongs to a request any more, so there are no bars. The costs are still known.")
        return
    takeaway_above = st.empty()
    visible = tables.visible_range(sent.records, MOST_BARS, "requests_shown")
    sizes = _chosen_sizes(sent.page, sent.sizes)
    frame = frames.requests(sent.records, sizes)
    takeaway_above.markdown(takeaway(frame, sizes))
    _bars(frame.iloc[visible], sizes)
    st.caption(PROVENANCE_TEXT[sizes.provenance])
    tables.draw(frame, "requests", "Every request with its parts, in tokens")


def _bars(frame: pd.DataFrame, sizes: MessageSizes) -> None:
    dropped = frame["not sent"].max()
    with_dropped = bool(dropped <= DWARFED * frame["sent"].max())
    figure = charts.request_bars(frame, provenance_label(sizes.provenance), with_dropped=with_dropped)
    st.plotly_chart(figure, key="request_bars", alt=alt(frame, sizes), config=tables.CHART)
    if not with_dropped:
        st.caption(
            f"Dropped messages are not drawn: up to {dropped:,} tokens would dwarf the bars. The table has them."
        )


def takeaway(frame: pd.DataFrame, sizes: MessageSizes) -> str:
    """Example: "**Latest request: 71 tokens (counted), 4 of them new.** Only 19 of 310 tokens were your words." """
    last = frame.iloc[-1]
    size = numbers.sized(int(last["sent"]), sizes.provenance)
    total, typed = int(frame["sent"].sum()), int(frame["newest message"].sum())
    sentence = f"**Latest request: {size}, {int(last['newest message']):,} of them new.**"
    if typed < total:
        sentence += f" Only {typed:,} of {total:,} tokens were your words."
    dropped = int(last["not sent"])
    return sentence + (f" {dropped:,} tokens no longer fit and are dropped." if dropped else "")


def alt(frame: pd.DataFrame, sizes: MessageSizes) -> str:
    """The chart in words."""
    first, last = frame.iloc[0], frame.iloc[-1]
    return (
        f"Stacked bars of {len(frame)} requests by {numbers.by(sizes.counter)}: from {int(first['sent']):,} tokens in"
        f" {first['request']} to {int(last['sent']):,} in {last['request']}."
    )


def _chosen_sizes(page: Page, own: MessageSizes) -> MessageSizes:
    """The sizes by the counter that was picked: the model's own, or another one to compare."""
    counters = comparable_counters(own.counter)
    name = st.selectbox(
        "Counted by",
        list(counters),
        key="bars_by",
        width=340,
        format_func=lambda name: numbers.by(counters[name]),
        help="The model's own counter, or another one on the same messages. The bars change, what was sent does not.",
    )
    return own if name == own.counter.name else message_sizes.sized(page, counters[name])


def comparable_counters(own: TokenCounter) -> Mapping[str, TokenCounter]:
    """The model's own counter, then others to compare with it, by name."""
    others = (counter_for("openai", "gpt-5"), counter_for("anthropic", "claude-opus-5"), ESTIMATE)
    return {counter.name: counter for counter in (own, *(other for other in others if other.name != own.name))}
