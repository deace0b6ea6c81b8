"""The tab "Request by request": how each request grew, as bars and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lib.analysis import frames
from lib.analysis.bills import usage_of
from lib.analysis.requests import SizesOf
from lib.tokens import ESTIMATE, PROVENANCE_TEXT, TokenCounter, provenance_label
from lib.tokens.model_counters import counter_for
from lib.ui.components import bars, message_sizes, tables
from lib.ui.format import numbers
from lib.ui.tokens.sent_requests import SentRequests, distinct

if TYPE_CHECKING:
    import pandas as pd

OWN = "own"
"""The choice of the counter of the model that answered."""
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
    sizes_of = _chosen_sizes(sent)
    frame = frames.requests(sent.records, sizes_of)
    takeaway_above.markdown(takeaway(sent, sizes_of))
    counters = _counters(sent, sizes_of)
    _bars(frame.iloc[visible], counters)
    for provenance in dict.fromkeys(counter.provenance for counter in counters):
        st.caption(PROVENANCE_TEXT[provenance])
    tables.draw(frame, "requests", "Every request with its parts, in tokens")


def _bars(frame: pd.DataFrame, counters: Sequence[TokenCounter]) -> None:
    dropped = frame["not sent"].max()
    with_dropped = bool(dropped <= DWARFED * frame["sent"].max())
    who = numbers.who_counted(counter.provenance for counter in counters)
    figure = bars.request_bars(frame, who, with_dropped=with_dropped)
    st.plotly_chart(figure, key="request_bars", alt=alt(frame, counters), config=tables.CHART)
    if not with_dropped:
        st.caption(
            f"Dropped messages are not drawn: up to {dropped:,} tokens would dwarf the bars. The table has them."
        )


def takeaway(sent: SentRequests, sizes_of: SizesOf) -> str:
    """Example: "**Latest request: 71 tokens (billed), 4 of them new (counted).** 38 tokens of earlier messages were
    dropped."

    The size is what the server reported, unless another counter was picked to compare.
    """
    record = sent.records[-1]
    sizes = sizes_of(record)
    parts, total, who = sizes.parts(record), sizes.parts(record).sent, sizes.provenance
    if sizes_of is sent.sizes_of:
        usage, who = usage_of(record, sizes)
        total = usage.input_tokens or total
    new_by = "" if who == sizes.provenance else f" ({provenance_label(sizes.provenance)})"
    sentence = f"**Latest request: {numbers.sized(total, who)}, {parts.newest:,} of them new{new_by}.**"
    if not parts.left_out:
        return sentence
    return f"{sentence} {numbers.plural(parts.left_out, 'token')} of earlier messages were dropped{new_by}."


def alt(frame: pd.DataFrame, counters: Sequence[TokenCounter]) -> str:
    """The chart in words."""
    first, last = frame.iloc[0], frame.iloc[-1]
    return (
        f"Stacked bars of {len(frame)} requests by {', '.join(map(numbers.by, counters))}: from"
        f" {int(first['sent']):,} tokens in {first['request']} to {int(last['sent']):,} in {last['request']}."
    )


def _counters(sent: SentRequests, sizes_of: SizesOf) -> Sequence[TokenCounter]:
    """The counters behind these sizes, each once."""
    return distinct(sizes_of(record).counter for record in sent.records)


def _chosen_sizes(sent: SentRequests) -> SizesOf:
    """The sizes by the counter of the model that answered, or by another one that was picked to compare."""
    own, others = sent.counters, comparable_counters(sent.sizes.counter)
    own_label = numbers.by(own[0]) if len(own) == 1 else "each request by its own model's counter"
    labels = {OWN: own_label} | {
        name: numbers.by(counter) for name, counter in others.items() if len(own) > 1 or name != own[0].name
    }
    name = st.selectbox(
        "Counted by",
        list(labels),
        key="bars_by",
        width=340,
        format_func=lambda name: labels.get(name, name),
        help="The model's own counter, or another one on the same messages. The bars change, what was sent does not.",
    )
    if name == OWN:
        return sent.sizes_of
    compared = sent.sizes if name == sent.sizes.counter.name else message_sizes.sized(sent.page, others[name])
    return lambda record: compared


def comparable_counters(own: TokenCounter) -> Mapping[str, TokenCounter]:
    """The model's own counter, then others to compare with it, by name."""
    others = (counter_for("openai", "gpt-5"), counter_for("anthropic", "claude-opus-5"), ESTIMATE)
    return {counter.name: counter for counter in (own, *(other for other in others if other.name != own.name))}
