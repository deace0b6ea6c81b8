"""What the chat page offers in a conversation of another library: a copy of it that can be gone on with."""

from __future__ import annotations

import uuid

import streamlit as st

from lib.access import Right
from lib.history import Recording
from lib.history.foreign import READ_ONLY
from lib.history.sessions import Parent
from lib.ui.chat import actions
from lib.ui.shell import services, session
from lib.ui.shell.error_box import attempt
from lib.ui.shell.page import Page

FORK_HELP = "Copies its messages into a new chat of your own. This one stays as it is."


def placeholder(page: Page) -> str:
    """What the box says in which nothing can be typed."""
    return "Read-only" if page.error is None else "This chat belongs to someone else"


def draw(page: Page) -> None:
    """Above the box: why nothing can be typed, and a button that copies the conversation into a new chat."""
    if page.right == Right.READ and page.history:
        _shared(page)
    if not page.library:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="read_only"):
        st.caption(f":material/visibility: {READ_ONLY}", width="content")
        if page.history:
            st.button(
                "Fork it to go on",
                key="fork_foreign",
                icon=":material/call_split:",
                help=f"Copies its messages into a new chat. What {page.library} keeps stays as it is.",
                on_click=_fork,
                args=(page,),
            )


def _shared(page: Page) -> None:
    """The same in a chat that somebody else has shared."""
    with st.container(horizontal=True, vertical_alignment="center", key="read_only"):
        st.caption(":material/visibility: Its owner shared this chat with you to read.", width="content")
        st.button(
            "Fork it to go on",
            key="fork_shared",
            icon=":material/call_split:",
            help=FORK_HELP,
            on_click=actions.fork,
            args=(page.session_id, len(page.history)),
        )


def _fork(page: Page) -> None:
    """Store a copy and open it. For callbacks."""
    session_id, title = str(uuid.uuid4()), page.about.title
    recording = Recording(title, page.history, [], page.settings.to_dict(), f"{page.library}: {title}")

    def act() -> None:
        store = services.chat().store
        store.restore(session_id, recording)
        store.set_parent(session_id, Parent(page.session_id, len(page.history)))
        session.open_session(session_id)

    attempt(act)
