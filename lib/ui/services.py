"""The composition root: the one place that chooses real parts.

The rule: parts are made once per app process and on first use; nothing heavy is imported before it is needed. What cannot
be made raises a ChatError, is not cached, and is tried again at the next rerun.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lib.chat import ChatService
from lib.history.opening import open_history
from lib.providers import Provider
from lib.providers.local import LocalModel
from lib.providers.opening import open_provider
from lib.settings import Endpoint, Settings, load_settings
from lib.trimming import DEFAULT_STRATEGY
from lib.turns import ChatSettings
from lib.ui import session

SYSTEM_PROMPT = "You are a helpful assistant."
"""Of those tried, the one under which the small model answers most usably; a longer one confuses it."""


_to_close: list[Callable[[], None]] = []
"""What must be given back when the server stops."""


def close() -> None:
    """Give back what was made, the newest first. For the server's end; the parts also look after themselves at exit."""
    while _to_close:
        _to_close.pop()()


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """How this installation is set up. Raises InvalidSettings."""
    return load_settings()


@st.cache_resource(show_spinner=False)
def chat() -> ChatService:
    """The conversations of this installation. Raises HistoryUnavailable where the store cannot be opened."""
    service = ChatService(open_history(settings()))
    _to_close.append(service.close)
    return service


@st.cache_resource(show_spinner=False)
def local_model() -> LocalModel:
    """The embedded model. It starts at its first request."""
    model = LocalModel(settings().local_model)
    _to_close.append(model.close)
    return model


def endpoint(name: str) -> Endpoint:
    """The endpoint of this name; the local one where it is not configured any more."""
    endpoints = settings().endpoints
    return endpoints.get(name, endpoints["local"])


def new_session_settings(name: str = "local") -> ChatSettings:
    """What a new session starts with on this endpoint."""
    chosen = endpoint(name)
    return ChatSettings(chosen.name, chosen.model, SYSTEM_PROMPT, chosen.window, chosen.reserve, DEFAULT_STRATEGY)


def key_for(name: str) -> str | None:
    """The key to use: typed in this browser session, else configured."""
    return session.typed_key(name) or endpoint(name).key


def provider_of(chosen: ChatSettings, key: str | None) -> Provider:
    """The provider a session's settings ask for. May be called from any thread: it reads no session state."""
    return open_provider(endpoint(chosen.provider), key, local_model())
