"""Draws pages with Streamlit's AppTest, types into them, and reads the warnings off them."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest
import streamlit as st

from lib.ui.shell import menu, services, session
from tests.support.app.pages import page

SETTINGS = ("OPENAI_", "ANTHROPIC_", "REDIS_", "WINDOWSEAT_")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is on pages: warnings and notes, exceptions, and what is in the box to type in after the last run."""

    warnings: list[str]
    broken: list[str]
    box: str


def drawn_pages(redis_url: str, session_id: str, paths: tuple[str, ...] = ("app.py",), typed: str = "") -> Drawn:
    """Draw these pages with this REDIS_URL, as another process would. `typed` is sent from the box of each."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(SETTINGS):
                patch.delenv(name)
        patch.setenv("REDIS_URL", redis_url)
        st.cache_resource.clear()
        sentences: list[str] = []
        broken: list[str] = []
        box = ""
        for path in paths:
            at = page(path, session_id=session_id)
            if typed:
                at.chat_input(key=session.PROMPT).set_value(typed).run()
                refilled = at.chat_input(key=session.PROMPT).proto
                box = refilled.value if refilled.set_value else ""
            broken += [f"on {path}: {exception.value}" for exception in at.exception]
            sentences += [box.value for box in (*at.warning, *at.error)]
            sentences += [note.value for note in at.caption if note.value.startswith(":material/info:")]
            lines = [part for line in at.caption for part in line.value.split(" · ")]
            sentences += [part for part in lines if part.startswith("cut off")]  # in the line under a reply
        services.close()
        st.cache_resource.clear()
    return Drawn([plain(sentence) for sentence in dict.fromkeys(sentences)], broken, box)


def all_pages() -> tuple[str, ...]:
    """The scripts of all pages."""
    return tuple(entry.path for entry in menu.MENU.values())


def plain(drawn: str) -> str:
    """A drawn box as one line without its markup."""
    return " ".join(drawn.removeprefix(":material/info:").replace("**", "").split())
