"""The tab that exports: the open chat, and with it any of the newest others."""

from __future__ import annotations

from lib.errors import ChatError
from lib.history.sessions import SessionQuery
from lib.ui.sessions.row_labels import labels
from lib.ui.shell import error_box
from lib.ui.shell.page import Page
from lib.ui.transfer import export_panel

OFFERED = 200
"""The newest chats that are offered beside the open one."""


def draw(page: Page) -> None:
    """The chats to choose from, and what they can be exported as."""
    if page.chat is None:
        return
    try:
        rows = [*page.chat.store.find(SessionQuery(), limit=OFFERED).rows]
        own = page.chat.store.row(page.session_id) if page.history else None
    except ChatError as error:
        error_box.show(error)
        return
    export_panel.draw(page, labels([own, *rows] if own is not None else rows))
