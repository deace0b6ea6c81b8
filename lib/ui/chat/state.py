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


def shown_version(session_id: str, newest: int) -> int:
    """The version of an exchange that is drawn, as the stored index of its user message. `newest` is that of the newest
    version, which is the default."""
    leafed: dict[int, int] = st.session_state.get(_versions(session_id), {})
    return leafed.get(newest, newest)


def show_version(session_id: str, newest: int, version: int) -> None:
    """Draw this version of an exchange. For callbacks."""
    st.session_state[_versions(session_id)] = st.session_state.get(_versions(session_id), {}) | {newest: version}


def show_newest_versions(session_id: str) -> None:
    """Draw the newest version of every exchange again."""
    st.session_state.pop(_versions(session_id), None)


def _versions(session_id: str) -> str:
    return f"versions:{session_id}"


def typed_cap(key: str) -> float | None:
    """USD in a field of the spending caps; None if it is empty. For callbacks."""
    typed: float | None = st.session_state.get(key)
    return typed
