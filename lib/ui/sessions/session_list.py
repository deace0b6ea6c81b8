"""The tab with all sessions: a search, one sentence, the list, and the way to the next page."""

from __future__ import annotations

import streamlit as st

from lib.errors import ChatError
from lib.history.sessions import SessionPage, SessionQuery
from lib.ui.format import numbers
from lib.ui.sessions import filters, row_list, state
from lib.ui.sessions.state import Place
from lib.ui.shell import error_box, services
from lib.ui.shell.page import Page

ROWS = 25
"""Sessions on one page of the list."""


def draw(page: Page) -> None:
    """Find what the filters ask for, and draw it."""
    query = filters.draw()
    places = state.places(query)
    try:
        found = services.chat().store.find(query, places[-1].cursor, ROWS)
    except ChatError as error:
        error_box.show(error)
        return
    state.see_models(row.model for row in found.rows if row.model)
    looked_at = places[-1].looked_at + found.looked_at
    st.markdown(sentence(found, query, len(places), looked_at))
    if found.rows:
        row_list.draw(found.rows, page.session_id)
    elif query != SessionQuery():
        st.button("Show all chats", icon=":material/filter_alt_off:", key="clear_filters", on_click=state.clear_filters)
    _paging(query, found, len(places), looked_at)


def sentence(found: SessionPage, query: SessionQuery, place: int, looked_at: int) -> str:
    """What the list shows, in words. `looked_at` counts from the beginning of the list.

    Example: "**120 chats are stored.** These are the 25 used last; click a title to open one."
    """
    if not found.total:
        return "**No chat is stored yet.** Say something on the chat page, and it will be listed here."
    shown = numbers.plural(len(found.rows), "chat")
    if query == SessionQuery():
        are = "chat is" if found.total == 1 else "chats are"
        which = "Click a title to open it." if found.next_cursor is None and place == 1 else _which(found, place)
        return f"**{found.total:,} {are} stored.** {which}"
    among = f"among the {looked_at:,} used last of {numbers.plural(found.total, 'chat')}"
    if found.next_cursor is None:
        among = "among the rest of them" if place > 1 else f"among {numbers.plural(found.total, 'chat')}"
    stopped = " The search stopped there to keep the page quick." if _stopped(found) else ""
    return f"**{shown if found.rows else 'No chat'} found** {among}.{stopped}"


def _which(found: SessionPage, place: int) -> str:
    if place == 1:
        return f"These are the {len(found.rows):,} used last; click a title to open one."
    return f"Page {place:,}: {numbers.plural(len(found.rows), 'chat')}. Click a title to open one."


def _stopped(found: SessionPage) -> bool:
    """Whether the search ended before the page was full."""
    return found.next_cursor is not None and len(found.rows) < ROWS


def _paging(query: SessionQuery, found: SessionPage, place: int, looked_at: int) -> None:
    """The ways to the page before and to the next one; after a search that stopped early, to go on with it."""
    if place == 1 and found.next_cursor is None:
        return
    with st.container(horizontal=True, key="paging"):
        if place > 1:
            st.button(
                "Previous",
                icon=":material/chevron_left:",
                key="previous_sessions",
                on_click=state.go_back,
                args=(query,),
            )
        if found.next_cursor is not None:
            stopped = _stopped(found)
            st.button(
                "Look further" if stopped else "Next",
                icon=":material/search:" if stopped else ":material/chevron_right:",
                key="next_sessions",
                on_click=state.go_on,
                args=(query, Place(found.next_cursor, looked_at)),
            )
