"""Lets the owner of the open chat decide who else may open it."""

from __future__ import annotations

import streamlit as st

from lib.access import Right
from lib.errors import ChatError
from lib.history.sessions import Share
from lib.ui.shell import services, session
from lib.ui.shell.page import Page

SHARING = "sharing_panel"
"""Widget key of the panel, whose contents are drawn only once it is open."""
CHOICE = "sharing"
CHOICES: dict[Share, str] = {
    "": "Only you",
    "read": "Anyone with the link may read",
    "write": "Anyone with the link may write",
}


def draw(page: Page) -> None:
    """A panel in the sidebar, for the owner of a chat with messages. Not where the app has one person."""
    if services.people().mode == "one" or page.right < Right.OWN or page.library or page.chat is None:
        return
    if page.error is not None or (not page.history and page.live is None):
        return
    share = page.about.share
    panel = st.sidebar.popover("Share", icon=":material/link:", width="stretch", key=SHARING, on_change="rerun")
    if share:
        st.sidebar.caption(f":material/group: {CHOICES[share]}")
    if not panel.open:
        return
    with panel:
        session.fill_form(CHOICE, {page.session_id: share})
        st.radio(
            "Who may open this chat",
            list(CHOICES),
            key=session.field_key(CHOICE, page.session_id),
            format_func=CHOICES.__getitem__,
            on_change=_choose,
            args=(page.session_id,),
        )
        if share:
            st.caption("The link. It works until you choose “Only you” again.")
            st.code(link(page.session_id), language=None, wrap_lines=True)
        else:
            st.caption("A link to this chat opens it for nobody else.")


def link(session_id: str) -> str:
    """The address of the chat. For the chat page, whose own address it is."""
    address = (st.context.url or "").partition("?")[0]
    return f"{address}?session={session_id}"


def _choose(session_id: str) -> None:
    """Store the choice. For callbacks."""
    chosen: Share = session.form_values(CHOICE, [session_id])[session_id]
    try:
        services.chat().store.set_share(session_id, chosen)
    except ChatError as error:
        session.flash(f"{error.what} The chat is shared as before. {error.next_step}")
