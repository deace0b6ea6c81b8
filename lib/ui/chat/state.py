"""The session-state keys of the chat page alone."""

from __future__ import annotations

import streamlit as st

PLAYING = "playing"


def playing() -> str | None:
    """Id of the session in which this browser session plays the demonstration, or None."""
    session_id: str | None = st.session_state.get(PLAYING)
    return session_id


def play(session_id: str | None) -> None:
    """Play the demonstration in this session; None pauses it."""
    st.session_state[PLAYING] = session_id
