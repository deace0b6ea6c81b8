"""Puts the cursor into the chat input when a chat is opened, where there is a keyboard."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_COMPONENT = st.components.v2.component(
    "windowseat_prompt_focus", html="<span></span>", js=Path(__file__).with_name("view.js").read_text("utf-8")
)


def draw(session_id: str) -> None:
    """Once for each opened chat. Nothing scrolls, and a field in which a person is typing keeps the cursor."""
    with st.sidebar:  # at its end, where something without a picture takes no room from the page
        _COMPONENT(data={"session": session_id}, key="prompt_focus", height=1)
