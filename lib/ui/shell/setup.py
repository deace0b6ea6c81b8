"""setup(): the first line of every page. It draws the product's mark, the menu, the chats and the line of the open one.

Any page may be the first one a fresh server is asked for. When the store or the settings fail, the page says so in
words, and comes back by itself when the store does.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lib.errors import HistoryUnavailable, InvalidSettings, NotYours
from lib.example import is_example
from lib.ui.people import people_line
from lib.ui.shell import absent, error_box, frame, menu, next_plan, services, session, sidebar
from lib.ui.shell.page import Page, load, show_store_note

FAVICON = "🪟"
"""Drawn by the browser. For a Material icon it would ask a font service on the internet; for a file the server would
load an image library before the first page."""
NAME = Path(__file__).with_name("name.svg").read_text("utf-8")
MARK = Path(__file__).with_name("mark.svg").read_text("utf-8")
"""The window strip in small. Streamlit shows the name in the sidebar, and the mark alone while that is closed."""

EXAMPLE_NOTE = (
    ":material/menu_book: An example: the replies were written by hand; no model was asked, nothing was paid. The"
    " token counts are real. If you go on with this chat, your messages go to your model."
)


def setup(name: str) -> Page:
    """Set up the page of this name and load the open chat. Draws the error if that fails.

    The chat page draws its line and the rest of the sidebar itself, later: a new chat need not wait for the store.
    """
    entry = menu.MENU[name]
    st.set_page_config(
        page_title=f"{entry.title} · Windowseat", page_icon=FAVICON, layout="wide" if entry.wide else "centered"
    )
    st.logo(NAME, size="large", icon_image=MARK)
    session_id, new = session.session_id()
    with st.sidebar:
        menu.draw(session_id)
    _stop_without_settings()
    people_line.stop_unless_known()
    page = Page(session_id) if new and name == "chat" else load(session_id)
    sidebar.new_chat()
    if name != "chat":
        sidebar.list_chats(page, link=name != "sessions")
        people_line.draw()
        st.header(entry.title, anchor=False)
        frame.draw(page, next_plan.preview(page), name)
    _explain_address(page)
    if page.error is not None:
        error_box.show(page.error)
    if isinstance(page.error, NotYours):
        people_line.explain_refusal()
    if page.chat is not None and not isinstance(page.error, HistoryUnavailable):
        show_store_note(page.chat)
    if is_example(page.about):
        st.caption(EXAMPLE_NOTE)
    return page


def _stop_without_settings() -> None:
    """A setting that cannot be used ends the page here: nothing below could be drawn without it."""
    try:
        services.people()
    except InvalidSettings as error:
        error_box.show(error)
        st.stop()


def _explain_address(page: Page) -> None:
    """Say why an address from elsewhere shows an empty chat."""
    if session.refused_id():
        st.info("The address has a chat id that cannot exist, so this is a new chat. Nothing was lost.")
    elif session.came_by_address() and page.chat is not None and not page.error and not page.history and not page.live:
        absent.draw(page)
