"""setup(): the first line of every page; and Page: the chat that the page shows.

Any page may be the first one a fresh server is asked for. When the store or the settings fail, the page says so in
words, and comes back by itself when the store does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import ChatError, HistoryUnavailable
from lib.history import About
from lib.messages import Message
from lib.turns import LiveTurn
from lib.ui.shell import error_box, menu, services, session, session_settings

FAVICON = "🪟"
"""Drawn by the browser. For a Material icon it would ask a font service on the internet; for a file the server would
load an image library before the first page."""


@dataclass(frozen=True, slots=True)
class Page:
    """The open chat. `error` is why its history could not be loaded; the rest is empty then.

    `chat` is None for a chat that was created just now: there is nothing to load, so the page need not wait for the
    store.
    """

    session_id: str
    chat: ChatService | None = None
    history: Sequence[Message] = ()
    about: About = field(default_factory=About)
    live: LiveTurn | None = None
    error: ChatError | None = None

    @property
    def settings(self) -> ChatSettings:
        return session_settings.restored(self.about.settings)


def setup(name: str) -> Page:
    """Set up the page of this name, draw the menu, and load the open chat. Draws the error if that fails."""
    entry = menu.MENU[name]
    st.set_page_config(
        page_title=f"{entry.title} · Windowseat", page_icon=FAVICON, layout="wide" if entry.wide else "centered"
    )
    session_id, new = session.session_id()
    with st.sidebar:
        menu.draw(session_id)
    page = Page(session_id) if new and name == "chat" else _load(session_id)
    if session.refused_id():
        st.info("The address has a chat id that cannot exist, so this is a new chat. Nothing was lost.")
    if page.error is not None:
        error_box.show(page.error)
    if page.chat is not None and not isinstance(page.error, HistoryUnavailable):
        show_store_note(page.chat)
    return page


def show_store_note(chat: ChatService) -> None:
    """What a person must know about this store, such as that it is lost on restart or that its Redis deletes chats."""
    if chat.store.note:
        st.caption(f":material/info: {chat.store.note}")


def _load(session_id: str) -> Page:
    """The chat as it is stored. Does not raise: an error becomes part of the page."""
    chat = None
    try:
        chat = services.chat()
        live = chat.live(session_id)  # before the history, so that a turn committed in between is seen in full
        return Page(session_id, chat, chat.store.load(session_id), chat.store.about(session_id), live)
    except ChatError as error:
        return Page(session_id, chat, error=error)
