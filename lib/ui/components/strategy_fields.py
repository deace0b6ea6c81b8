"""The widgets for a strategy and its options. Only the options of the chosen strategy are drawn.

`settings_form` fills the widgets and handles the change.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lib.context import LOW_MARKS, STRATEGIES

OPTIONS = {
    "low_water": ("low_mark",),
    "summarize": ("low_mark",),
    "head_and_tail": ("keep_first",),
    "sliding_window": ("last_exchanges",),
}
"""The ChatSettings fields that each strategy uses."""


NAMES_HELP = "  \n".join(f"**{strategy.short}:** {strategy.label}" for strategy in STRATEGIES.values())
"""What the short names mean, for a tooltip where they stand alone."""


def draw(strategy: str, key_of: Callable[[str], str], on_change: Callable[[], None]) -> None:
    """The strategy, its explanation, and its options. `key_of` returns the widget key of a ChatSettings field."""
    st.selectbox(
        "When the window is full",
        list(STRATEGIES),
        key=key_of("strategy"),
        on_change=on_change,
        format_func=lambda name: STRATEGIES[name].label if name in STRATEGIES else name,
    )
    st.caption(STRATEGIES[strategy].explanation if strategy in STRATEGIES else "")
    for name in OPTIONS.get(strategy, ()):
        _FIELDS[name](key_of(name), on_change)


def _low_mark(key: str, on_change: Callable[[], None]) -> None:
    least, most = LOW_MARKS
    st.slider(
        "Trim down to (% of budget)",
        least,
        most,
        step=0.05,
        key=key,
        on_change=on_change,
        format="percent",
        help="The lower it is, the more is dropped at once, and the longer the request begins with the same messages.",
    )


def _keep_first(key: str, on_change: Callable[[], None]) -> None:
    st.number_input(
        "First exchanges to keep",
        0,
        50,
        key=key,
        on_change=on_change,
        help="An exchange is one of your messages with its reply.",
    )


def _last_exchanges(key: str, on_change: Callable[[], None]) -> None:
    st.number_input(
        "Last exchanges to send",
        1,
        500,
        key=key,
        on_change=on_change,
        help="The one with the new message counts as one.",
    )


_FIELDS = {"low_mark": _low_mark, "keep_first": _keep_first, "last_exchanges": _last_exchanges}
