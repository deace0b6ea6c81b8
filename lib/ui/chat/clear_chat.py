"""Deletes the open chat."""

from __future__ import annotations

import streamlit as st

from lib.access import Right
from lib.ui.chat import actions
from lib.ui.format import numbers
from lib.ui.shell.page import Page

CLEAR = "clear_panel"
"""Widget key of the panel, whose contents are drawn only once it is open."""


def draw(page: Page) -> None:
    """A button in the sidebar. It asks once and says what is lost."""
    if page.error is not None or page.right < Right.OWN or page.library or (not page.history and page.live is None):
        return
    panel = st.sidebar.popover(
        "Clear this chat", icon=":material/delete:", width="stretch", key=CLEAR, on_change="rerun"
    )
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
