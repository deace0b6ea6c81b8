"""Says what became of a session whose address was opened but which holds nothing."""

from __future__ import annotations

import time

import streamlit as st

from lib.errors import ChatError
from lib.history.sessions import Ending, Gone
from lib.ui.format import moments, numbers
from lib.ui.format.text import as_label
from lib.ui.shell.page import Page

UNKNOWN = "Nothing is stored at this address: the chat is new, was cleared or has expired."
ENDINGS: dict[Ending, str] = {
    "expired": "expired {when}: its time was up, and nobody had written in it.",
    "deleted": "was deleted {when} by a person.",
    "lost": "is gone before its time was up: the store lost it, or another service deleted it.",
}


def draw(page: Page) -> None:
    """When and why the session went, as far as it is known."""
    assert page.chat is not None
    try:
        gone = page.chat.store.gone(page.session_id)
    except ChatError:  # the page says so by itself
        return
    if gone is None:
        st.caption(f":material/info: {UNKNOWN}")
    else:
        st.info(words(gone, time.time()), icon=":material/hourglass_disabled:")


def words(gone: Gone, now: float) -> str:
    """Markdown. `now` is seconds since the epoch.

    Example: "“Refund policy” expired 3 h ago (26 Nov 2026, 14:03): its time was up, and nobody had written in it. …"
    """
    title = as_label(gone.title, 60)
    when = f"{numbers.ago(max(0.0, now - gone.at))} ({moments.moment(gone.at)})"
    what = ENDINGS[gone.ending].format(when=when)
    return f"{f'“{title}”' if title else 'The chat at this address'} {what} What you type here begins a new one."
