"""Shows how the requests of a chat grow: the list of what each one held, then the tokens of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lib.analysis.ranking import read_tokens
from lib.lessons.outcomes import Outcome
from lib.ui.components import axes, palette
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SHOWN = 40
"""Characters of a message in the list."""


def draw(outcomes: Sequence[Outcome]) -> None:
    """The first arm."""
    outcome = outcomes[0]
    for number in range(1, len(outcome.turns) + 1):
        st.markdown(_request(outcome, number))
    if outcome.live is not None:
        st.markdown(f":gray[Turn {len(outcome.turns) + 1}: …]")
    sizes = [read_tokens(turn)[0] for turn in outcome.turns]
    known = [size for size in sizes if size is not None]
    if outcome.is_complete and len(known) == len(sizes) > 1:
        st.markdown(sentence(known))
        st.plotly_chart(chart(known), config={"displayModeBar": False}, key="lesson_growth", alt=sentence(known))


def sentence(sizes: Sequence[int]) -> str:
    """Markdown. Example: "**The model read 310 tokens in 5 requests.** The last request alone is 102 tokens, and 84 of
    them had been sent before." """
    return (
        f"**The model read {sum(sizes):,} tokens in {len(sizes)} requests.** The last request alone is"
        f" {sizes[-1]:,} tokens, and {sizes[-2]:,} of them had been sent before."
    )


def _request(outcome: Outcome, number: int) -> str:
    """Markdown: what a turn sent, grey where it had been sent before."""
    end = len(outcome.arm.given) + 2 * number - 1
    before = end - 2
    parts = []
    for at, message in enumerate(outcome.messages[:end]):
        text = " ".join(message.text.split())
        words = f"{message.role}: {as_markdown(text[:SHOWN] + ('…' if len(text) > SHOWN else ''))}"
        parts.append(f":gray[{words}]" if at < before else f"**{words}**")
    tokens = read_tokens(outcome.turns[number - 1])[0]
    size = "" if tokens is None else f" · {numbers.plural(tokens, 'token')}"
    return f"Turn {number}{size}: " + " :gray[|] ".join(parts)


def chart(sizes: Sequence[int]) -> Figure:
    """One bar per request: what had been sent before, and what is new. Tokens."""
    go = axes.graph_objects()
    names = [f"turn {number}" for number in range(1, len(sizes) + 1)]
    before = [0, *sizes[:-1]]
    new = [size - old for size, old in zip(sizes, before, strict=True)]
    figure = go.Figure(
        [
            go.Bar(x=names, y=before, name="sent before", marker_color=palette.HISTORY.colour),
            go.Bar(x=names, y=new, name="new", marker_color=palette.NEWEST.colour),
        ]
    )
    figure.update_layout(barmode="stack")
    axes.lay_out(figure, "tokens")
    figure.update_xaxes(axes.request_ticks(names))
    return figure
