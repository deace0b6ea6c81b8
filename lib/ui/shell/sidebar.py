"""The chats in the sidebar of every page: a new one, the pinned ones, those used last, and the way to all of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import streamlit as st

from lib.errors import ChatError, NotYours
from lib.history import SessionSummary
from lib.history.sessions import SessionRow
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.shell import error_box, menu, services, session
from lib.ui.shell.page import Page, show_store_note

SESSIONS_SHOWN = 8
"""Chats that were used last."""
PINNED_SHOWN = 8
Entry = SessionSummary | SessionRow


def new_chat() -> None:
    """The button that opens a new chat."""
    st.sidebar.button("New chat", icon=":material/add:", on_click=session.open_session, key="new_chat", width="stretch")


def list_chats(page: Page, link: bool = True) -> None:
    """The pinned chats, then those used last. Opening another one stays on the same page.

    Below them, unless `link` is False, stands a link to the page with all of them.
    """
    with st.sidebar:
        if page.error is None or isinstance(page.error, NotYours):
            _list(page, link)


def _list(page: Page, link: bool) -> None:
    try:
        store = services.chat().store
        pinned = store.pinned_sessions(PINNED_SHOWN)
        kept = {entry.session_id for entry in pinned}
        newest = [entry for entry in store.sessions(SESSIONS_SHOWN) if entry.session_id not in kept]
    except ChatError as error:
        error_box.show(error)
        return
    if page.chat is None:
        show_store_note(services.chat())
    sessions: list[Entry] = [*pinned, *newest]
    for entry, title in zip(sessions, titles(sessions), strict=True):
        _entry(entry, title, is_open=entry.session_id == page.session_id, is_pinned=entry.session_id in kept)
    if sessions and link:
        _all_sessions(page.session_id)


def _all_sessions(session_id: str) -> None:
    entry = menu.MENU["sessions"]
    st.page_link(
        entry.path, label="All sessions", icon=entry.icon, help=entry.help, query_params={"session": session_id}
    )


def titles(sessions: Sequence[Entry]) -> list[str]:
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


def _entry(entry: Entry, title: str, *, is_open: bool, is_pinned: bool) -> None:
    """A chat: title, whether it is pinned, how long ago, how long it is kept."""
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
        st.caption(f":material/push_pin: {times}" if is_pinned else times)
