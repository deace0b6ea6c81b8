"""Choosing a strategy and what it lets a person choose; the same widgets in the sidebar and on the context-window page.

The rule: a choice is shown only where the strategy in force has it. Whoever draws them seeds the keys and takes the change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from lib.context import LOW_MARKS, STRATEGIES

OPTIONS = {
    "low_water": ("low_mark",),
    "summarize": ("low_mark",),
    "head_and_tail": ("keep_first",),
    "sliding_window": ("last_exchanges",),
}
"""Fields of ChatSettings that a strategy obeys."""


def draw(
    strategy: str, key_of: Callable[[str], str], on_change: Callable[..., None], args: tuple[Any, ...] = ()
) -> None:
    """The strategy, its explanation in plain words, and its options. `key_of` names the widget of a field."""
    st.selectbox(
        "When it no longer fits",
        list(STRATEGIES),
        key=key_of("strategy"),
        on_change=on_change,
        args=args,
        format_func=lambda name: STRATEGIES[name].label if name in STRATEGIES else name,
    )
    st.caption(STRATEGIES[strategy].explanation if strategy in STRATEGIES else "")
    for name in OPTIONS.get(strategy, ()):
        _FIELDS[name](key_of(name), on_change, args)


def _low_mark(key: str, on_change: Callable[..., None], args: tuple[Any, ...]) -> None:
    least, most = LOW_MARKS
    st.slider(
        "Leave out down to this part of the room",
        least,
        most,
        step=0.05,
        key=key,
        on_change=on_change,
        args=args,
        format="percent",
        help="The lower it is, the more is forgotten at once, and the longer the request begins the same.",
    )


def _keep_first(key: str, on_change: Callable[..., None], args: tuple[Any, ...]) -> None:
    st.number_input(
        "First exchanges that stay",
        0,
        50,
        key=key,
        on_change=on_change,
        args=args,
        help="An exchange is a message of yours with the reply to it.",
    )


def _last_exchanges(key: str, on_change: Callable[..., None], args: tuple[Any, ...]) -> None:
    st.number_input(
        "Last exchanges that are sent",
        1,
        500,
        key=key,
        on_change=on_change,
        args=args,
        help="The one with the new message counts.",
    )


_FIELDS = {"low_mark": _low_mark, "keep_first": _keep_first, "last_exchanges": _last_exchanges}
