"""Loads what the tokens page shows: the session's requests with their sizes and bills."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from lib.analysis.bills import Bill, bills_of
from lib.analysis.requests import MessageSizes, RequestRecord, SizesOf, detached, records_of
from lib.pricing.model import Model
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.model_counters import counter_for
from lib.turns import Turn
from lib.ui.components import message_sizes, odd_turns
from lib.ui.shell import menu, services
from lib.ui.shell.page import Page


@dataclass(frozen=True, slots=True)
class SentRequests:
    """A session's requests. `detached` turns match no stored message.

    `sizes` are by the counter of the chat's present model. `sizes_of` gives those by the counter of the model that
    answered a request, which is another one where the chat changed its model.
    """

    page: Page
    records: Sequence[RequestRecord]
    detached: Sequence[Turn]
    sizes: MessageSizes
    sizes_of: SizesOf
    bills: Sequence[Bill]

    @property
    def counters(self) -> Sequence[TokenCounter]:
        """The counters of the models that answered, each once, in the order of the requests."""
        return distinct([self.sizes_of(record).counter for record in self.records] or [self.sizes.counter])


def distinct(counters: Iterable[TokenCounter]) -> list[TokenCounter]:
    """Each counter once, in their order."""
    return list({(counter.name, counter.provenance): counter for counter in counters}.values())


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
    sizes_of = message_sizes.by_answering_model(page, sizes)
    bills = bills_of(records, unmatched, sizes_of, services.find_model)
    return SentRequests(page, records, unmatched, sizes, sizes_of, bills)


def sizes_for(page: Page, model: Model, own: MessageSizes) -> MessageSizes:
    """The sizes of the conversation by this model's counter."""
    if model.vendor == "local":
        return own if page.settings.provider == "local" else message_sizes.sized(page, ESTIMATE)
    counter = counter_for(model.vendor, model.name)
    return own if counter.name == own.counter.name else message_sizes.sized(page, counter)


def _explain_empty(page: Page) -> None:
    st.info("Nothing was sent yet. Send a message in the chat, and its request and cost appear here.")
    chat = menu.MENU["chat"]
    st.page_link(chat.path, label="Back to chat", icon=chat.icon, query_params={"session": page.session_id})
