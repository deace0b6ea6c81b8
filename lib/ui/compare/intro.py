"""The sentence at the top of the page."""

from __future__ import annotations

import streamlit as st


def draw() -> None:
    """What the page does."""
    st.markdown(
        "**Send the same messages to several models, or to one model with several settings**, and see which reads"
        " least, answers first and costs least. Each column becomes a chat of its own."
    )
