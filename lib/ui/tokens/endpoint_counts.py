"""Counts of requests by the providers' counting endpoints, remembered so that each request is counted once.

A request is known by its model and the SHA-256 of its body: the recorded one, or the one it would be sent with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lib.analysis.requests import MessageSizes, RequestRecord
from lib.chat_settings import ChatSettings
from lib.providers import ChatRequest, Provider
from lib.ui.shell import services
from lib.ui.shell.last_used import LastUsed

REMEMBERED = 10_000
"""Counts kept in this process."""


def known(settings: ChatSettings, records: Sequence[RequestRecord], sizes: MessageSizes) -> list[int | None]:
    """Tokens of each request where an endpoint has counted it. Asks nobody."""
    counts = _counts()
    return [counts.get(_key(settings, record, sizes)) if counts else None for record in records]


def ask(settings: ChatSettings, record: RequestRecord, sizes: MessageSizes) -> int | None:
    """Tokens of a request, counted by its provider. None where that has no counting endpoint. Raises ProviderError."""
    key, counts = _key(settings, record, sizes), _counts()
    tokens = counts.get(key)
    if tokens is None:
        provider, request = _countable(settings, record, sizes)
        tokens = provider.count(request)
        if tokens is not None:
            counts[key] = tokens
    return tokens


@st.cache_resource(show_spinner=False)
def _counts() -> LastUsed[int]:
    """Tokens by `_key`."""
    return LastUsed(REMEMBERED)


def _key(settings: ChatSettings, record: RequestRecord, sizes: MessageSizes) -> str:
    turn = record.turn
    if turn is not None and turn.request_sha256 is not None:
        return f"{turn.provider}:{turn.model}:{turn.request_sha256}"
    provider, request = _countable(settings, record, sizes)
    return f"{provider.name}:{request.model}:{provider.prepare(request).sha256}"


def _countable(settings: ChatSettings, record: RequestRecord, sizes: MessageSizes) -> tuple[Provider, ChatRequest]:
    """The request of a record, on the model it went to (the chat's, where none was recorded)."""
    turn = record.turn
    if turn is not None:
        settings = replace(settings, provider=turn.provider, model=str(turn.request.get("model", turn.model)))
    provider = services.provider_of(settings, services.key_for(settings.provider))
    return provider, ChatRequest(settings.model, tuple(sizes.messages(record)), settings.reply_tokens)
