"""Keeps the endpoints that people added on a page, for all threads of this process."""

from __future__ import annotations

import streamlit as st

from lib.errors import MissingKey
from lib.settings import Endpoint
from lib.ui.shell.last_used import LastUsed

KEPT = 1_000


@st.cache_resource(show_spinner=False)
def endpoints() -> LastUsed[Endpoint]:
    """By name; the one used longest ago goes first. Which browser session offers which is in its state.

    They are not in a browser session, because a turn's thread cannot read one. Keys that were typed are.
    """
    return LastUsed(KEPT)


@st.cache_resource(show_spinner=False)
def _owners() -> dict[str, str]:
    """The id of the person who added an endpoint, by its name; empty where there is one person only."""
    return {}


def add(endpoint: Endpoint, owner: str) -> None:
    """Keep an endpoint for this person. Raises ChatError if another person's has this name."""
    refuse_others(endpoint.name, owner)
    _owners()[endpoint.name] = owner
    endpoints()[endpoint.name] = endpoint
    for gone in _owners().keys() - set(endpoints()):
        _owners().pop(gone, None)


def refuse_others(name: str, owner: str) -> None:
    """Raise ChatError for an endpoint that another person added: a chat that they shared names it, and an admin's may
    be a server that others must not reach, with a key from the environment. In any thread."""
    if _is_anothers(name, owner):
        raise MissingKey(
            f"The endpoint “{name}” was added by somebody else, for their own chats.",
            next_step="Choose another endpoint in the chat settings, then retry.",
        )


def key_of(endpoint: Endpoint, owner: str) -> str | None:
    """The key that comes with an endpoint, if this person may use it: not with one that another person added."""
    return None if _is_anothers(endpoint.name, owner) else endpoint.key


def _is_anothers(name: str, owner: str) -> bool:
    return name in endpoints() and _owners().get(name) != owner
