"""setup(): what every page does first, and Page: the session it shows.

The rule: a page works as the first one a fresh server is asked for. Whatever is wrong with the store or the settings is
said on the page, in words, and the page comes back by itself when it is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import ChatError, CorruptHistory
from lib.history import About
from lib.messages import Message
from lib.turns import LiveTurn
from lib.ui.shell import error_box, menu, services, session

FAVICON = "🪟"
"""Drawn by the browser: for a Material icon it would ask a font service on the internet, for a file the server would load an
image library before the first page."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows: the open session. `trouble` is why history could not be loaded; then the rest is empty.

    `chat` is None for a session that is new just now: it holds nothing yet, so its page need not wait for the store.
    """

    session_id: str
    chat: ChatService | None = None
    history: Sequence[Message] = ()
    about: About = field(default_factory=About)
    live: LiveTurn | None = None
    trouble: ChatError | None = None

    @property
    def settings(self) -> ChatSettings:
        return services.session_settings(self.about.settings)


def setup(name: str) -> Page:
    """Set up the page and load its session. Draws the menu; the page draws the rest."""
    entry = menu.MENU[name]
    st.set_page_config(
        page_title=f"{entry.title} · Windowseat", page_icon=FAVICON, layout="wide" if entry.wide else "centered"
    )
    session_id, new = session.session_id()
    with st.sidebar:
        menu.draw(session_id)
    page = Page(session_id) if new and name == "chat" else _load(session_id)
    if session.refused_id():
        st.info("The address asked for a session that cannot exist, so this is a new chat. Nothing was lost.")
    if page.trouble is not None:
        error_box.show(page.trouble)
    if page.chat is not None:
        say_note(page.chat)
    return page


def say_note(chat: ChatService) -> None:
    """What a person must know about this store, on every page."""
    if chat.store.note:
        st.caption(f":material/info: {chat.store.note}")


def _load(session_id: str) -> Page:
    """The session as it is stored. Never raises: trouble is part of the page."""
    chat = None
    try:
        chat = services.chat()
        live = chat.live(session_id)  # before the history: a turn that is committed in between is then seen in full
        return Page(session_id, chat, chat.store.load(session_id), chat.store.about(session_id), live)
    except CorruptHistory as error:
        return Page(session_id, chat, trouble=error)
    except ChatError as error:
        return Page(session_id, chat, trouble=error)
