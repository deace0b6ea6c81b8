"""Every st.session_state key of this page.

Session state holds ids and choices only. Comparisons live in the server process, under an id that only this browser
session knows.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from lib.messages import utf8_safe
from lib.server_history import Approach

SIDE_BY_SIDE, DRILLS, MOVE, REFERENCE = "Side by side", "Drills", "Move a conversation", "What to know"
TABS = (SIDE_BY_SIDE, DRILLS, MOVE, REFERENCE)

TAB = "threads_tab"
PLACE = "threads_place"
PROMPT = "threads_prompt"
DRILL_LANE = "threads_drill_lane"
REFERENCE_APPROACHES = "threads_reference_approaches"
_IMPORTED = "threads_imported_chat"


def approaches_key(place: str) -> str:
    """The key of the approaches chosen at this place."""
    return f"threads_approaches:{place}"


def comparison_key(session_id: str, place: str) -> str:
    """The key of the comparison that this browser session has for a chat at this place."""
    return f"threads_comparison:{session_id}:{place}"


def comparison_id(session_id: str, place: str) -> str | None:
    """The id of that comparison in the server process; None if there is none yet."""
    id_: str | None = st.session_state.get(comparison_key(session_id, place))
    return id_


def set_comparison_id(session_id: str, place: str, id_: str) -> None:
    """Keep the id of a comparison."""
    st.session_state[comparison_key(session_id, place)] = id_


class ImportedChat(NamedTuple):
    """A new chat with the messages read from a server. `note` says what did not come along."""

    session_id: str
    message_count: int
    note: str


def imported_chat() -> ImportedChat | None:
    """The chat that was imported last in this browser session."""
    imported: ImportedChat | None = st.session_state.get(_IMPORTED)
    return imported


def set_imported_chat(session_id: str, message_count: int, note: str) -> None:
    """Remember an imported chat, to offer a button that opens it."""
    st.session_state[_IMPORTED] = ImportedChat(session_id, message_count, utf8_safe(note))


def lane_key(approach: Approach) -> str:
    """The key of a lane's container."""
    return f"threads_lane:{approach}"
