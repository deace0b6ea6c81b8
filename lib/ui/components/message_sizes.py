"""Sizes of a chat's messages for a page, by the counter of a turn or of the chat.

When a counter's server cannot be reached, the estimate is used instead, and the page says so.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.analysis.requests import MessageSizes
from lib.errors import ChatError
from lib.tokens import ESTIMATE, TokenCounter
from lib.turns import Turn
from lib.ui.shell import services, session_settings
from lib.ui.shell.page import Page


def sizes_of(page: Page, turn: Turn | None = None) -> MessageSizes:
    """Sizes by the turn's counter, or the chat's if no turn is given. It may start the local model."""
    if turn is None:
        return own_sizes(page)
    counter = _counter_of(turn)
    try:
        return sized(page, counter)
    except ChatError:  # its server went away in the meantime
        return sized(page, ESTIMATE)


def own_sizes(page: Page) -> MessageSizes:
    """Sizes by the chat's counter, which may have to be started first."""
    try:
        with st.spinner("Counting", show_time=False):
            return sized(page, services.asked_counter(page.settings))
    except ChatError as error:
        st.caption(f":material/info: {error.what} Sizes are estimated until the counter can be reached.")
        return sized(page, ESTIMATE)


def sized(page: Page, counter: TokenCounter) -> MessageSizes:
    """Sizes by this counter, reusing what it counted before."""
    assert page.chat is not None
    return MessageSizes(counter, page.history, page.chat.ledger(page.session_id, counter))


def _counter_of(turn: Turn) -> TokenCounter:
    """The counter that sized a turn when it was sent; the estimate where that one is no longer available."""
    if turn.plan is None or turn.plan.counter == ESTIMATE.name:
        return ESTIMATE
    settings = replace(session_settings.defaults(turn.provider), model=turn.model)
    counter = services.asked_counter(settings)
    return counter if counter.name == turn.plan.counter else ESTIMATE
