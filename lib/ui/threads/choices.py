"""What a person chooses first: the place, and the ways to keep the history there."""

from __future__ import annotations

import streamlit as st

from lib.server_history import Approach
from lib.ui.threads import places, state

DEFAULT_APPROACHES: tuple[Approach, ...] = ("manual", "conversations", "responses")


def introduce() -> None:
    """Say what this page compares."""
    st.markdown(
        "A model remembers nothing. Either your app **sends the conversation again** every turn, or a **server keeps"
        " it** and your app sends only what is new. Ask once, and watch both."
    )


def choose_place() -> str:
    """The replica or a configured endpoint."""
    labels = places.labels()
    return st.selectbox("Where", list(labels), key=state.PLACE, format_func=lambda name: labels.get(name, name))


def choose_approaches(place: str) -> tuple[Approach, ...]:
    """The approaches to compare, in their usual order."""
    offered = places.approaches_at(place)
    picked = st.pills(
        "Ways to keep it",
        offered,
        default=[approach for approach in DEFAULT_APPROACHES if approach in offered],
        selection_mode="multi",
        wrap=True,
        key=state.approaches_key(place),
        format_func=places.NAMES.__getitem__,
    )
    return tuple(approach for approach in offered if approach in picked)


def explain_place(place: str) -> None:
    """Say what the replica is, if it was chosen."""
    if place == places.REPLICA:
        st.caption(
            "The replica is a small server inside this app that really keeps conversations, as OpenAI's and Anthropic's"
            " servers do, with the model on this machine behind it. The model is asked once for each conversation:"
            " columns with the same messages get the same reply, so that they can be compared. Nothing leaves this"
            " machine."
        )
