"""Page: the open chat, as a page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from lib.access import Right
from lib.access.gated_chat import GatedChat
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import ChatError, NotYours
from lib.history import About
from lib.history.foreign import format_of
from lib.messages import Message
from lib.turns import LiveTurn
from lib.ui.shell import services, session_settings


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
    right: Right = Right.OWN
    """What the person who looks at the page may do with the chat."""

    @property
    def may_write(self) -> bool:
        """Whether they may send messages and change settings."""
        return self.right >= Right.WRITE and not self.library

    @property
    def settings(self) -> ChatSettings:
        return session_settings.restored(self.about.settings)

    @property
    def library(self) -> str:
        """The library that keeps the chat, which is then only read; "" for the app's own."""
        return format_of(self.session_id)


def show_store_note(chat: ChatService) -> None:
    """What a person must know about this store, such as that it is lost on restart or that its Redis deletes chats."""
    if chat.store.note:
        st.caption(f":material/info: {chat.store.note}")


def load(session_id: str) -> Page:
    """The chat as it is stored. Does not raise: an error becomes part of the page."""
    chat = None
    try:
        chat = services.chat()
        live = chat.live(session_id)  # before the history, so that a turn committed in between is seen in full
        history, about = chat.store.load(session_id), chat.store.about(session_id)
        return Page(session_id, chat, history, about, live, right=right_to(chat, session_id))
    except NotYours as error:
        return Page(session_id, chat, error=error, right=Right.NONE)
    except ChatError as error:
        return Page(session_id, chat, error=error)


def right_to(chat: ChatService, session_id: str) -> Right:
    """What the person who has this service may do with a session."""
    return chat.gate.right(session_id) if isinstance(chat, GatedChat) else Right.OWN
