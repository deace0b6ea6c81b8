"""The chats in the sidebar of every page: a new one, and the ones used last."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import streamlit as st

from lib.errors import ChatError, NotYours
from lib.history import SessionSummary
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.people import people_line
from lib.ui.shell import error_box, services, session
from lib.ui.shell.page import Page, show_store_note

SESSIONS_SHOWN = 8


def new_chat() -> None:
    """The button that opens a new chat."""
    st.sidebar.button("New chat", icon=":material/add:", on_click=session.open_session, key="new_chat", width="stretch")


def list_chats(page: Page) -> None:
    """The chats used last. Opening another one stays on the same page."""
    with st.sidebar:
        if page.error is None or isinstance(page.error, NotYours):
            _list(page)
        people_line.draw()


def _list(page: Page) -> None:
    try:
        sessions = services.chat().store.sessions(SESSIONS_SHOWN)
    except ChatError as error:
        error_box.show(error)
        return
    if page.chat is None:
        show_store_note(services.chat())
    for entry, title in zip(sessions, titles(sessions), strict=True):
        _entry(entry, title, entry.session_id == page.session_id)


def titles(sessions: Sequence[SessionSummary]) -> list[str]:
    """Titles that tell the chats apart: of equal ones, all but the oldest are numbered.

    Example: titles of three chats, newest first, all called "Hello" -> ["Hello (3)", "Hello (2)", "Hello"]
    """
    left = Counter(entry.title for entry in sessions)
    named = []
    for entry in sessions:
        number = left[entry.title]
        left[entry.title] -= 1
        title = as_label(entry.title, 34) or "untitled"
        named.append(title if number == 1 else f"{title} ({number})")
    return named


def _entry(entry: SessionSummary, title: str, is_open: bool) -> None:
    """A chat: title, how long ago, how long it is kept."""
    times = f"{numbers.ago(time.time() - entry.last_activity)} · {numbers.left(entry.expires_in)}"
    with st.container(gap=None, key=f"entry:{entry.session_id}"):
        st.button(
            f"**{title}**" if is_open else title,
            key=f"open:{entry.session_id}",
            type="tertiary",
            on_click=session.open_session,
            args=(entry.session_id,),
            help="The open chat" if is_open else "Open this chat",
        )
        st.caption(times)
