"""The tab of the open session: its head, its family, and four views of what is stored."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lib.errors import ChatError, NotYours
from lib.ui.sessions import state, tabs
from lib.ui.sessions.opened import head, lineage, messages, settings, stored, time_line
from lib.ui.shell import error_box, services
from lib.ui.shell.page import Page

VIEWS: dict[str, Callable[[Page], None]] = {
    tabs.TRANSCRIPT: messages.draw,
    tabs.STORED: stored.draw,
    tabs.TIME: time_line.draw,
    tabs.SETTINGS: settings.draw,
}


def draw(page: Page) -> None:
    """Everything about the open session. What cannot be read can still be seen as it is stored, and deleted."""
    if page.chat is None or isinstance(page.error, NotYours):
        return
    try:
        row = services.chat().store.row(page.session_id)
        if row is None:
            _nothing_open()
            return
        head.draw(row, page.right)
        _live(page)
        lineage.draw(page.session_id)
        if page.error is None:
            _views(page)
        else:
            stored.draw(page)
    except ChatError as error:
        error_box.show(error)


def _live(page: Page) -> None:
    """Say that a reply is being written, and show it when it is stored; or that one was interrupted."""
    if page.live is None:
        return
    if page.live.interrupted:
        st.warning("Its last message was not answered. Open the chat to retry it, keep what came, or discard it.")
    else:
        _wait(page.session_id)


@st.fragment(run_every=1)
def _wait(session_id: str) -> None:
    live = services.chat().live(session_id)
    if live is None or live.interrupted:
        st.rerun()
    st.caption(":material/more_horiz: A reply is being written. It is shown here as soon as it is stored.")


def _views(page: Page) -> None:
    views = st.tabs(tabs.VIEWS, key=tabs.VIEW, on_change="rerun", bind="query-params")
    for view, name in zip(views, tabs.VIEWS, strict=True):
        if view.open:
            with view:
                VIEWS[name](page)


def _nothing_open() -> None:
    st.info("The open chat holds no messages yet. Choose one from the list, and everything about it is shown here.")
    st.button("Show all chats", icon=":material/inbox:", key="to_list", on_click=state.show_tab, args=(tabs.LIST,))
