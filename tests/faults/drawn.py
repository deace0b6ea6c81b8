"""Draws the chat page with Streamlit's AppTest, and reads the warnings off it."""

from __future__ import annotations

import os

import pytest
import streamlit as st

from lib.ui.shell import menu, services
from tests.support.pages import page

SETTINGS = ("OPENAI_", "ANTHROPIC_", "REDIS_", "WINDOWSEAT_")


def drawn_page(redis_url: str, session_id: str, paths: tuple[str, ...] = ("app.py",)) -> tuple[list[str], list[str]]:
    """The warnings and notes on these pages, and the exceptions that they show, with this REDIS_URL."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(SETTINGS):
                patch.delenv(name)
        patch.setenv("REDIS_URL", redis_url)
        st.cache_resource.clear()
        sentences: list[str] = []
        broken: list[str] = []
        for path in paths:
            at = page(path, session_id=session_id)
            broken += [f"on {path}: {exception.value}" for exception in at.exception]
            sentences += [box.value for box in (*at.warning, *at.error)]
            sentences += [note.value for note in at.caption if note.value.startswith(":material/info:")]
        services.close()
        st.cache_resource.clear()
    return [plain(sentence) for sentence in dict.fromkeys(sentences)], broken


def all_pages() -> tuple[str, ...]:
    """The scripts of all pages."""
    return tuple(entry.path for entry in menu.MENU.values())


def plain(drawn: str) -> str:
    """A drawn box as one line without its markup."""
    return " ".join(drawn.removeprefix(":material/info:").replace("**", "").split())
