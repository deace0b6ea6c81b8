"""Loads what the tokens page shows: the session's requests with their sizes and bills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lib.analysis.bills import Bill, bills_of
from lib.analysis.requests import MessageSizes, RequestRecord, detached, records_of
from lib.turns import Turn
from lib.ui.components import message_sizes, odd_turns
from lib.ui.shell import menu, services
from lib.ui.shell.page import Page


@dataclass(frozen=True, slots=True)
class SentRequests:
    """A session's requests, sized by the counter of its current model. `detached` turns match no stored message."""

    page: Page
    records: Sequence[RequestRecord]
    detached: Sequence[Turn]
    sizes: MessageSizes
    bills: Sequence[Bill]


def load(page: Page) -> SentRequests | None:
    """The session's requests. None if the session cannot be read or has none yet; the latter is said on the page."""
    if page.chat is None or page.error is not None:
        return None
    turns = page.chat.store.turns(page.session_id)
    records = records_of(page.history, turns)
    if not records and not turns:
        _explain_empty(page)
        return None
    odd_turns.draw(turns)
    sizes = message_sizes.own_sizes(page)
    unmatched = detached(page.history, turns)
    return SentRequests(page, records, unmatched, sizes, bills_of(records, unmatched, sizes, services.find_model))


def _explain_empty(page: Page) -> None:
    st.info("Nothing was sent yet. Send a message in the chat, and its request and cost appear here.")
    chat = menu.MENU["chat"]
    st.page_link(chat.path, label="Back to chat", icon=chat.icon, query_params={"session": page.session_id})
