"""The sentence at the top of the page."""

from __future__ import annotations

import streamlit as st


def draw() -> None:
    """What the page does."""
    st.markdown(
        "**Send a list of prompts to several models, and see which answers most of them right.** What it costs at most"
        " is shown before anything is sent."
    )
