"""Every st.session_state key of this page that is not in lib/ui/shell/session.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st

from lib.history import Mark


class DraftChanges(NamedTuple):
    """What a person tries on the next request: changed fields of ChatSettings, new marks by stored index, a prompt."""

    settings: Mapping[str, Any] = {}
    marks: Mapping[int, Mark | None] = {}
    prompt: str = ""


def draft_changes(session_id: str) -> DraftChanges:
    """The changes kept in this browser session."""
    kept: DraftChanges = st.session_state.get(f"{session_id}:draft", DraftChanges())
    return kept


def keep_draft_changes(session_id: str, changes: DraftChanges) -> None:
    """Put these changes in place of the kept ones. For callbacks."""
    st.session_state[f"{session_id}:draft"] = changes


def seed_prompt(session_id: str, prompt: str) -> str:
    """Key of the text field of the prompt, with this prompt in it."""
    key = _prompt_key(session_id)
    st.session_state[key] = prompt
    return key


def typed_prompt(session_id: str) -> str:
    """The text in the field of the prompt. For its callback."""
    return st.session_state.get(_prompt_key(session_id)) or ""


def _prompt_key(session_id: str) -> str:
    return f"{session_id}:try:prompt"
