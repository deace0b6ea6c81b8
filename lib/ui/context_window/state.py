"""Every st.session_state key of this page that is not in lib/ui/shell/session.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st

from lib.history import Mark
from lib.ui.shell import session, tried_settings


class DraftChanges(NamedTuple):
    """What a person tries on the next request: changed fields of ChatSettings, new marks by stored index, a prompt."""

    settings: Mapping[str, Any] = {}
    marks: Mapping[int, Mark | None] = {}
    prompt: str = ""


def draft_changes(session_id: str) -> DraftChanges:
    """The changes kept in this browser session; at first the settings in the address."""
    kept: DraftChanges | None = st.session_state.get(f"{session_id}:draft")
    return DraftChanges(tried_settings.in_address()) if kept is None else kept


def keep_draft_changes(session_id: str, changes: DraftChanges) -> None:
    """Put these changes in place of the kept ones, and their settings into the address. For callbacks."""
    st.session_state[f"{session_id}:draft"] = changes
    tried_settings.put_into_address(changes.settings)


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


def open_stretches(key: str) -> frozenset[int]:
    """First indexes of the stretches of messages that a person opened in the rows of this key."""
    opened: frozenset[int] = st.session_state.get(f"{key}:stretches", frozenset())
    return opened


def open_stretch(key: str, start: int, is_open: bool) -> None:
    """Open or close a stretch in the rows of this key. For callbacks."""
    opened = open_stretches(key)
    st.session_state[f"{key}:stretches"] = opened | {start} if is_open else opened - {start}
    st.session_state[f"{key}:opened"] = start if is_open else None
    if not is_open:  # a chosen message would keep it open
        session.choose_message(None)


def take_opened_stretch(key: str) -> int | None:
    """First index of the stretch that was opened just now, once; None where none was."""
    start: int | None = st.session_state.pop(f"{key}:opened", None)
    return start


def seed_request(session_id: str, sha256: str, body: str) -> str:
    """Key of the text field of the request with this SHA-256, with its body in it until a person edits it."""
    name = f"{session_id}:edited:{sha256}"
    st.session_state.setdefault(name, body)
    return name


def set_resent() -> None:
    """An edited request was sent, so the page goes to its chat. For callbacks."""
    st.session_state["resent"] = True


def take_resent() -> bool:
    """Whether one was sent just now. True once."""
    return bool(st.session_state.pop("resent", False))
