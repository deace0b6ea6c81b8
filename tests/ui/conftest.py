"""The app's own parts behind AppTest: the in-memory store, and the typist behind the real openai SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st

from lib.chat.service import ChatService
from lib.ui.shell import services
from tests.support.app.pages import SESSION, settings
from tests.support.servers.typist import Typist


@pytest.fixture
def typist() -> Iterator[Typist]:
    with Typist(words=5, seconds_per_word=0.0) as typing:
        yield typing


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch, typist: Typist) -> Iterator[ChatService]:
    """The app's own parts, on the in-memory store, with the typist behind the real openai SDK."""
    for name, value in {
        "WINDOWSEAT_STORE": "memory",
        "OPENAI_BASE_URL": typist.url,
        "OPENAI_API_KEY": "sk-secret-in-tests",
        "OPENAI_MODEL": "typist-1",
    }.items():
        monkeypatch.setenv(name, value)
    st.cache_resource.clear()
    service = services.chat()
    service.store.save_settings(SESSION, settings().to_dict())
    yield service
    st.cache_resource.clear()
