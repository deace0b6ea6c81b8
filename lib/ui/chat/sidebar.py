"""The chat's sidebar: new chat, the last chats, the settings of this one, and clearing it.

The settings show what is stored, and only a person's change is written. A change in another tab shows at the next
rerun.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.history import SessionSummary
from lib.ui.chat import actions
from lib.ui.components import settings_form
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.shell import error_box, services, session
from lib.ui.shell.page import Page, show_store_note

SESSIONS_SHOWN = 8
SETTINGS, CLEAR = "settings", "clear_panel"
"""Widget keys of panels whose contents are drawn only once they are open: the first page need not carry them."""


def draw(page: Page) -> None:
    """Everything below the menu. Drawn last, because on a new chat it is the first to need the store."""
    with st.sidebar:
        st.button("New chat", icon=":material/add:", on_click=session.open_session, key="new_chat", width="stretch")
        list_of_sessions = st.container(gap=None)
        if page.error is None:
            _settings(page)
            _clear(page)
    if page.error is None:
        try:
            sessions = services.chat().store.sessions(SESSIONS_SHOWN)
        except ChatError as error:
            error_box.show(error)
            return
        if page.chat is None:
            show_store_note(services.chat())
        with list_of_sessions:
            _sessions(page.session_id, sessions)


def _sessions(open_id: str, sessions: Sequence[SessionSummary]) -> None:
    """The chats used last: title, how long ago, how long they have left."""
    for entry in sessions:
        times = f"{numbers.ago(time.time() - entry.last_activity)} · {numbers.left(entry.expires_in)}"
        title = as_label(entry.title, 34) or "untitled"
        is_open = entry.session_id == open_id
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


def _settings(page: Page) -> None:
    """The settings of this chat, stored after every change."""
    panel = st.expander("Chat settings", icon=":material/tune:", key=SETTINGS, on_change="rerun")
    if not panel.open:
        return
    with panel:
        form = settings_form.open_form(page.session_id, page.settings, partial(_store, page.session_id))
        form.provider()
        form.model()
        form.api_key()
        form.system_prompt()
        form.window()
        form.reserve()
        form.strategy()
        form.summarizer()
        form.limits()


def _store(session_id: str, settings: ChatSettings) -> None:
    """For callbacks."""
    try:
        services.chat().store.save_settings(session_id, settings.to_dict())
    except ChatError as error:
        session.flash(f"{error.what} The change was not stored. {error.next_step}")


def _clear(page: Page) -> None:
    """Delete the messages, after asking once and saying what is lost."""
    if not page.history and page.live is None:
        return
    panel = st.popover("Clear this chat", icon=":material/delete:", width="stretch", key=CLEAR, on_change="rerun")
    if not panel.open:
        return
    with panel:
        gone = numbers.plural(len(page.history), "message")
        st.write(
            f"This deletes {gone} and the record of every turn, for everybody who shares this chat. It cannot be"
            " undone."
        )
        st.button(
            "Delete them", key="clear", type="primary", on_click=actions.clear, args=(page.session_id, page.settings)
        )
