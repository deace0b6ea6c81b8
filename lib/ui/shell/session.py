"""Every st.session_state key, behind a function.

The rule: session state holds ids, plain choices and keys typed for this browser session; never services, and nothing that
is not also safe to lose. The session id is mirrored in the URL as `?session=`, and the URL wins.
"""

from __future__ import annotations

import uuid

import streamlit as st

from lib.history import valid_session_id
from lib.ui.format.text import drawable

PROMPT = "prompt"
"""Key of the chat input: its text, and the way to put a text back into it."""
URL_PARAMETER = "session"


def session_id() -> tuple[str, bool]:
    """The open session: the URL's, else this browser session's, else a new one; and whether it is new just now.

    Keeps the URL in step.
    """
    new = False
    asked = st.query_params.get(URL_PARAMETER, "")
    if asked and valid_session_id(asked):
        st.session_state["session_id"] = asked
    elif "session_id" not in st.session_state:
        st.session_state["session_id"] = str(uuid.uuid4())
        new = True
    current: str = st.session_state["session_id"]
    if asked != current:
        st.query_params[URL_PARAMETER] = current
        st.session_state["refused_id"] = bool(asked)
    return current, new


def refused_id() -> bool:
    """Whether the URL just asked for a session id that cannot be one. True once."""
    return bool(st.session_state.pop("refused_id", False))


def open_session(new_id: str | None = None) -> None:
    """Go to another session (a new one by default) at the next rerun. For callbacks."""
    st.session_state["session_id"] = new_id or str(uuid.uuid4())
    st.query_params[URL_PARAMETER] = st.session_state["session_id"]
    st.query_params.pop("turn", None)
    st.session_state.pop("editing", None)


def put_back(text: str) -> None:
    """Put a text into the chat input again, where it was or to be edited. For callbacks."""
    st.session_state[PROMPT] = drawable(text)


def asked_turn() -> str | None:
    """The request the URL asks for as `?turn=`: a turn's number, or "m7" for message 7; None where it asks for none."""
    return st.query_params.get("turn") or None


def ask_for_turn(key: str) -> None:
    """Put a request into the URL. For callbacks."""
    st.query_params["turn"] = key


def choose_message(index: int | None) -> None:
    """Bring a stored message into view on the context-window page. For callbacks."""
    st.session_state["chosen_message"] = index


def chosen_message() -> int | None:
    """Stored index of the message to bring into view."""
    index: int | None = st.session_state.get("chosen_message")
    return index


def typed_key(endpoint: str) -> str | None:
    """The API key typed for this endpoint in this browser session."""
    return (st.session_state.get(f"key:{endpoint}") or "").strip() or None


def editing() -> int | None:
    """Stored index of the user message that the next message replaces, None for an ordinary one."""
    index: int | None = st.session_state.get("editing")
    return index


def set_editing(index: int | None) -> None:
    """Make the next message a replacement, or an ordinary one again."""
    st.session_state["editing"] = index


def first_drawn(session: str, default: int) -> int:
    """Index of the first message that is drawn: the default, or an earlier one that was asked for."""
    asked: int = st.session_state.get(f"first_drawn:{session}", default)
    return min(default, asked)


def draw_from(session: str, index: int) -> None:
    """Draw messages from this index on."""
    st.session_state[f"first_drawn:{session}"] = max(0, index)


def draw_newest(session: str) -> None:
    """Draw the newest messages again."""
    st.session_state.pop(f"first_drawn:{session}", None)


def listed_models(endpoint: str) -> list[str]:
    """Model names this browser session asked the server for."""
    names: list[str] = st.session_state.get(f"models:{endpoint}", [])
    return names


def set_listed_models(endpoint: str, names: list[str]) -> None:
    """Keep the names a server gave."""
    st.session_state[f"models:{endpoint}"] = names


def message_of_the_moment(text: str | None = None) -> str | None:
    """Leave a line for the next rerun to show once; without an argument, take it."""
    if text is not None:
        st.session_state["moment"] = text
        return None
    taken: str | None = st.session_state.pop("moment", None)
    return taken
