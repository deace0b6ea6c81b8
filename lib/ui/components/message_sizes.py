"""Sizes of a session's messages for a page: by whoever sized a turn, or by the session's own counter.

The rule: a counter that cannot be asked never stops a page: the estimate stands in, and says so.
"""

from __future__ import annotations

import streamlit as st

from lib.analysis.requests import MessageSizes
from lib.errors import ChatError
from lib.tokens import ESTIMATE, TokenCounter
from lib.turns import Turn
from lib.ui.shell import services
from lib.ui.shell.page import Page


def sizes_of(page: Page, turn: Turn | None = None) -> MessageSizes:
    """By the counter that sized this turn; without one, by the session's own. It may start the local model."""
    if turn is None:
        return own_sizes(page)
    counter = services.counter_of_turn(turn)
    try:
        return sized(page, counter)
    except ChatError:  # it went away while it was asked
        return sized(page, ESTIMATE)


def own_sizes(page: Page) -> MessageSizes:
    """By the session's counter, which may have to be started; by the estimate, with a word why, where it cannot be asked."""
    try:
        with st.spinner("Counting", show_time=False):
            return sized(page, services.asked_counter(page.settings))
    except ChatError as error:
        st.caption(f":material/info: {error.what} Sizes are estimated until it can be asked.")
        return sized(page, ESTIMATE)


def sized(page: Page, counter: TokenCounter) -> MessageSizes:
    """By this counter, with what it counted before."""
    assert page.chat is not None
    return MessageSizes(counter, page.history, page.chat.ledger(page.session_id, counter))
