"""Sizes of a chat's messages for a page, by the counter of a turn, of its model, or of the chat.

When a counter's server cannot be reached, the estimate is used instead, and the page says so.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.analysis.requests import MessageSizes, RequestRecord, SizesOf
from lib.errors import ChatError
from lib.settings import EXAMPLE
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.model_counters import counter_for
from lib.turns import Turn
from lib.ui.format.text import as_markdown
from lib.ui.shell import services, session_settings
from lib.ui.shell.page import Page


def sizes_of(page: Page, turn: Turn | None = None) -> MessageSizes:
    """Sizes by the turn's counter, or the chat's if no turn is given. It may start the local model."""
    if turn is None:
        return own_sizes(page)
    return _sized_if_reached(page, _counter_of(turn))


def own_sizes(page: Page) -> MessageSizes:
    """Sizes by the chat's counter, which may have to be started first."""
    try:
        with st.spinner("Counting", show_time=False):
            return sized(page, services.asked_counter(page.settings))
    except ChatError as error:
        st.caption(f":material/info: {as_markdown(error.what)} Sizes are estimated until the counter can be reached.")
        return sized(page, ESTIMATE)


def sized(page: Page, counter: TokenCounter) -> MessageSizes:
    """Sizes by this counter, reusing what it counted before."""
    assert page.chat is not None
    return MessageSizes(counter, page.history, page.chat.ledger(page.session_id, counter))


def by_answering_model(page: Page, own: MessageSizes) -> SizesOf:
    """Sizes of each request by the counter of the model that answered it; `own` where no turn was recorded."""
    settings = page.settings  # read once: it is put together anew each time, and there are many requests
    by_model = {(settings.provider, settings.model): own}

    def sizes_of(record: RequestRecord) -> MessageSizes:
        if record.turn is None:
            return own
        key = (record.turn.provider, record.turn.model)
        if key not in by_model and record.turn.provider == EXAMPLE:
            by_model[key] = _sized_by_its_counter(page, record.turn)
        if key not in by_model:
            counter = _counter_of_model(*key)
            by_model[key] = own if _same(counter, own.counter) else _sized_if_reached(page, counter)
        return by_model[key]

    return sizes_of


def _sized_by_its_counter(page: Page, turn: Turn) -> MessageSizes:
    """Sizes by the counter that planned a turn; no model answers in the example, so none of them has a counter."""
    try:
        return _sized_if_reached(page, _counter_of(turn))
    except ChatError:
        return sized(page, ESTIMATE)


def _sized_if_reached(page: Page, counter: TokenCounter) -> MessageSizes:
    """Sizes by this counter, or the estimate if its server cannot be reached."""
    try:
        return sized(page, counter)
    except ChatError:
        return sized(page, ESTIMATE)


def _same(one: TokenCounter, other: TokenCounter) -> bool:
    """Whether two counters give the same sizes and can be trusted as much. One vocabulary may be known to be a model's
    own, and assumed to be another's."""
    return (one.name, one.provenance) == (other.name, other.provenance)


def _counter_of_model(provider: str, model: str) -> TokenCounter:
    """The counter of a model that answered. Where its endpoint is no longer configured, the nearest tokenizer."""
    if not services.is_known(provider):
        return counter_for(provider, model)
    try:
        return services.asked_counter(replace(session_settings.defaults(provider), model=model))
    except ChatError:
        return ESTIMATE


def _counter_of(turn: Turn) -> TokenCounter:
    """The counter that sized a turn when it was sent; the estimate where that one is no longer available."""
    if turn.plan is None or turn.plan.counter == ESTIMATE.name:
        return ESTIMATE
    settings = replace(session_settings.defaults(turn.provider), model=turn.model)
    counter = services.asked_counter(settings)
    return counter if counter.name == turn.plan.counter else ESTIMATE
