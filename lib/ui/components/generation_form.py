"""The fields of the generation settings: temperature, seed and the like. An empty field is off, and off is not sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import streamlit as st

from lib.errors import ChatError
from lib.generation import (
    EFFORTS,
    HIGHEST_TEMPERATURE,
    LARGEST_SEED,
    LONGEST_REPLY,
    LONGEST_STOP,
    MOST_STOPS,
    WORDS,
    Generation,
)
from lib.ui.format.text import as_label
from lib.ui.shell import session

OFF_TEXT = "off"
NAMES = [field.name for field in fields(Generation)]
NUMBERS: dict[str, tuple[float, float, float, str]] = {
    "temperature": (0.0, HIGHEST_TEMPERATURE, 0.1, "0 always takes the likeliest token; more leaves more to chance."),
    "top_p": (0.0, 1.0, 0.05, "Tokens are chosen from the likeliest ones that together have this probability."),
    "seed": (0, LARGEST_SEED, 1, "The same seed and request should give the same reply, on servers that keep to it."),
    "max_reply_tokens": (
        1,
        LONGEST_REPLY,
        64,
        "In tokens. It takes the place of what is reserved for the reply. Reasoning counts as reply with most vendors.",
    ),
}
"""For each number: the least, the most, the step, and what it does."""


def draw(form: str, generation: Generation, on_change: Callable[[Generation], object]) -> None:
    """The fields, with what is set. `on_change` is called in a callback after each change."""
    name = session.field_key(form, "generation_fields")
    session.fill_form(name, {each: getattr(generation, each) for each in NAMES} | {"stop": list(generation.stop)})

    def changed() -> None:
        try:
            on_change(Generation.of(session.form_values(name, NAMES)))
        except ChatError as error:
            session.flash(f"{error.what} {error.next_step}")

    st.caption(as_label(f"Sent with every message: {generation.summary}", 200) if generation.summary else NOTHING_SET)
    for each, (least, most, step, what) in NUMBERS.items():
        st.number_input(_label(each), least, most, step=step, help=what, **_widget(name, each, changed))
    st.selectbox(
        _label("reasoning_effort"),
        EFFORTS,
        help="How long a reasoning model thinks before it answers. Each model takes some of these.",
        **_widget(name, "reasoning_effort", changed),
    )
    st.multiselect(
        _label("stop"),
        list(generation.stop),
        accept_new_options=True,
        max_selections=MOST_STOPS,
        placeholder=OFF_TEXT,
        help=f"The reply ends where the model would write one of these. At most {LONGEST_STOP} characters each.",
        key=session.field_key(name, "stop"),
        on_change=changed,
    )


NOTHING_SET = "Nothing is set, so nothing is sent and the model uses its own values."


def _label(name: str) -> str:
    return WORDS[name].capitalize()


def _widget(form: str, name: str, changed: Callable[[], None]) -> dict[str, Any]:
    """What the fields that can be empty pass to their widget."""
    empty: dict[str, Any] = {"index": None} if name == "reasoning_effort" else {"value": None}
    return {**empty, "placeholder": OFF_TEXT, "key": session.field_key(form, name), "on_change": changed}
