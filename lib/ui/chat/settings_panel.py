"""The settings of the open chat, in a panel of the sidebar.

The panel shows what is stored, and only a person's change is written. A change in another tab shows at the next rerun.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from lib.access import Right
from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.history.foreign import format_of
from lib.ui.chat import spending
from lib.ui.components import settings_form
from lib.ui.shell import services, session
from lib.ui.shell.page import Page

SETTINGS = "settings"
"""Widget key of the panel, whose contents are drawn only once it is open: the first page need not carry them."""


def draw(page: Page) -> None:
    """Below "New chat", so that it opens on the screen and the strip stays in view. Every change is stored at once."""
    if page.right < Right.WRITE:
        return
    panel = st.sidebar.expander("Chat settings", icon=":material/tune:", key=SETTINGS, on_change="rerun")
    if page.error is not None or not panel.open:
        return
    with panel:
        form = settings_form.open_form(page.session_id, page.settings, partial(_store, page.session_id))
        form.provider()
        form.model()
        form.api_key()
        form.window()
        form.reserve()
        form.strategy()
        form.summarizer()
        form.system_prompt()
        form.generation()
        form.cache_diagnostics()
        form.limits()
        spending.form(page)


def _store(session_id: str, settings: ChatSettings) -> None:
    """Store the chat's settings, and begin this browser session's next chat with them. For callbacks.

    A conversation of another library has no settings of its own: it is shown with those of the next chat.
    """
    session.set_last_settings(settings.to_dict())
    if format_of(session_id):
        return
    try:
        services.chat().store.save_settings(session_id, settings.to_dict())
    except ChatError as error:
        session.flash(f"{error.what} The change was not stored. {error.next_step}")
