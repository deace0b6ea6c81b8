"""The tab that exports: the open chat, and with it any of the newest others."""

from __future__ import annotations

from lib.errors import ChatError
from lib.history.sessions import SessionQuery
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
        rows = page.chat.store.find(SessionQuery(), limit=OFFERED).rows
    except ChatError as error:
        error_box.show(error)
        return
    opened = {page.session_id: page.about.title} if page.history else {}
    export_panel.draw(page, opened | {row.session_id: row.title for row in rows})
