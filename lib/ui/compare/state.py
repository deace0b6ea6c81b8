"""Every st.session_state key of this page, and what it keeps in the address, behind functions.

Before the first message the columns are drafts of settings in the browser session. From then on each is a stored chat,
and the address holds their ids.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.history import valid_session_id

URL_COLUMNS, URL_BLIND = "columns", "blind"
PROMPT, MEASURE, BLIND, RULES, VOTES = (
    "compare_prompt",
    "ranked_by",
    "compare_blind",
    "compare_rules",
    "compare_votes",
)
LEAST, MOST = 2, 4
"""How many columns there are."""
_DRAFTS, _COLUMNS, _IS_BLIND = "compare_drafts", "compare_columns", "compare_is_blind"

Draft = tuple[str, Mapping[str, Any]]
"""A key that stays the same while columns are added and removed, and the settings as stored."""


def drafts() -> list[Draft]:
    """The columns before the first message; empty until `set_drafts` was called."""
    return list(st.session_state.get(_DRAFTS, ()))


def set_drafts(settings: Sequence[Mapping[str, Any]]) -> None:
    """Begin with columns of these settings."""
    st.session_state[_DRAFTS] = [(uuid.uuid4().hex, dict(each)) for each in settings]


def change_draft(key: str, settings: Mapping[str, Any]) -> None:
    """Replace the settings of one column. For callbacks."""
    st.session_state[_DRAFTS] = [(each, settings if each == key else kept) for each, kept in drafts()]


def add_draft(settings: Mapping[str, Any]) -> None:
    """Add a column. For callbacks."""
    if len(drafts()) < MOST:
        st.session_state[_DRAFTS] = [*drafts(), (uuid.uuid4().hex, dict(settings))]


def remove_draft(key: str) -> None:
    """Remove a column. For callbacks."""
    if len(drafts()) > LEAST:
        st.session_state[_DRAFTS] = [(each, kept) for each, kept in drafts() if each != key]


def column_ids() -> tuple[str, ...]:
    """The ids of the chats side by side: the address's, else this browser session's; none before the first message.

    Keeps the address in step.
    """
    asked = tuple(dict.fromkeys(part for part in st.query_params.get(URL_COLUMNS, "").split(",") if part))
    if LEAST <= len(asked) <= MOST and all(map(valid_session_id, asked)):
        if asked != st.session_state.get(_COLUMNS):
            st.session_state[_COLUMNS] = asked
            st.session_state[_IS_BLIND] = st.query_params.get(URL_BLIND) == "1"
        return asked
    kept: tuple[str, ...] = st.session_state.get(_COLUMNS, ())
    set_columns(kept, blind=is_blind()) if kept else st.query_params.pop(URL_COLUMNS, None)
    return kept


def set_columns(ids: Sequence[str], *, blind: bool) -> None:
    """Show these chats side by side, with their names hidden if `blind`; none: go back to the drafts."""
    st.session_state[_COLUMNS], st.session_state[_IS_BLIND] = tuple(ids), blind
    for name, value in ((URL_COLUMNS, ",".join(ids)), (URL_BLIND, "1" if blind and ids else "")):
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def is_blind() -> bool:
    """Whether the names of the columns are hidden until a vote."""
    return bool(st.session_state.get(_IS_BLIND))


def wants_blind() -> bool:
    """What the switch says, before the first message."""
    return bool(st.session_state.get(BLIND))


def typed() -> str:
    """The message in the box. For its callback."""
    return st.session_state.get(PROMPT) or ""
