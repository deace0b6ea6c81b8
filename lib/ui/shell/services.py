"""The composition root: the one place that chooses real parts.

The rule: parts are made once per app process and on first use; nothing heavy is imported before it is needed. What cannot
be made raises a ChatError, is not cached, and is tried again at the next rerun.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from lib.analysis.requests import MessageSizes, RequestRecord
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.context import DEFAULT_STRATEGY, STRATEGIES
from lib.history.factory import open_history
from lib.pricing.catalogue import find
from lib.pricing.model import Model
from lib.providers import ChatRequest, Provider
from lib.providers.factory import open_counter, open_provider, vendor_of
from lib.providers.llama.process import LocalModel
from lib.settings import Endpoint, Settings, load_settings
from lib.tokens import ESTIMATE, TokenCounter
from lib.turns import Turn
from lib.ui.shell import session

if TYPE_CHECKING:
    from lib.lab.recall.run import Probe
    from lib.server_history.comparison import Comparison
    from lib.server_history.offline import LocalReplica

SYSTEM_PROMPT = "You are a helpful assistant."
"""Of those tried, the one under which the small model answers most usably; a longer one confuses it."""


_to_close: list[Callable[[], None]] = []
"""What must be given back when the server stops."""


def close() -> None:
    """Give back what was made, the newest first. For the server's end; the parts also look after themselves at exit."""
    while _to_close:
        _to_close.pop()()


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """How this installation is set up. Raises InvalidSettings."""
    return load_settings()


@st.cache_resource(show_spinner=False)
def chat() -> ChatService:
    """The conversations of this installation. Raises HistoryUnavailable where the store cannot be opened."""
    service = ChatService(open_history(settings()), counter_of)
    _to_close.append(service.close)
    return service


@st.cache_resource(show_spinner=False)
def local_model() -> LocalModel:
    """The embedded model. It starts at its first request."""
    model = LocalModel(settings().local_model)
    _to_close.append(model.close)
    return model


def endpoint(name: str) -> Endpoint:
    """The endpoint of this name; the local one where it is not configured any more."""
    endpoints = settings().endpoints
    return endpoints.get(name, endpoints["local"])


def new_session_settings(name: str = "local") -> ChatSettings:
    """What a new session starts with on this endpoint."""
    chosen = endpoint(name)
    return ChatSettings(chosen.name, chosen.model, SYSTEM_PROMPT, chosen.window, chosen.reserve, DEFAULT_STRATEGY)


def session_settings(stored: Mapping[str, Any]) -> ChatSettings:
    """A session's settings: what is stored over those of a new session on the same endpoint. A strategy that this version
    does not have is read as the default one."""
    settings = new_session_settings(str(stored.get("provider", "local"))).updated(stored)
    return settings if settings.strategy in STRATEGIES else replace(settings, strategy=DEFAULT_STRATEGY)


def key_for(name: str) -> str | None:
    """The key to use: typed in this browser session, else configured."""
    return session.typed_key(name) or endpoint(name).key


def provider_of(chosen: ChatSettings, key: str | None) -> Provider:
    """The provider a session's settings ask for. May be called from any thread: it reads no session state."""
    return open_provider(endpoint(chosen.provider), key, local_model())


def counter_of(chosen: ChatSettings, provider: Provider | None = None) -> TokenCounter:
    """Who counts for a session's settings. Without a provider nobody is asked, so that a page need not wait.

    The source's own strategy measures as the source does.
    """
    if chosen.strategy == "source_trim":
        return ESTIMATE
    return open_counter(endpoint(chosen.provider), chosen.model, local_model(), provider)


def counter_of_turn(turn: Turn) -> TokenCounter:
    """Whoever sized a turn that was sent; characters / 4 where that one cannot be asked. It may start the local model."""
    if turn.plan is None or turn.plan.counter == ESTIMATE.name:
        return ESTIMATE
    chosen = replace(new_session_settings(turn.provider), model=turn.model)
    counter = counter_of(chosen, provider_of(chosen, key_for(turn.provider)))
    return counter if counter.name == turn.plan.counter else ESTIMATE


def asked_counter(chosen: ChatSettings) -> TokenCounter:
    """Who counts for these settings, asked if need be: it may start the local model. Raises ProviderError."""
    return counter_of(chosen, provider_of(chosen, key_for(chosen.provider)))


def find_model(provider: str, model: str) -> Model | None:
    """The catalogue's entry for what a turn names; None where the endpoint's owner sets its own prices."""
    vendor = vendor_of(endpoint(provider)) if provider in settings().endpoints else None
    return None if vendor is None else find(vendor, model)


@st.cache_resource(show_spinner=False)
def probes() -> dict[str, Probe]:
    """Recall probes of this process by a name that only their browser session knows."""
    return {}


@st.cache_resource(show_spinner=False)
def replicas() -> tuple[LocalReplica, LocalReplica]:
    """Two servers on this machine that keep conversations as the vendors do: one for the page, and another account for the
    drill that switches between them. They start at their first request."""
    from lib.server_history.offline import LocalReplica  # on first use: the chat page must not wait for it

    made = (LocalReplica.on(local_model()), LocalReplica.on(local_model()))
    _to_close.extend(replica.close for replica in made)
    return made


@st.cache_resource(show_spinner=False)
def sides() -> dict[str, Comparison]:
    """Conversations that run side by side in this process, by a name that only their browser session knows."""
    return {}


@st.cache_resource(show_spinner=False)
def asked_counts() -> dict[str, int]:
    """What counting endpoints said in this process, by `count_key`."""
    return {}


def count_key(chosen: ChatSettings, record: RequestRecord, sizes: MessageSizes) -> str:
    """One request on one model: the SHA-256 of what was sent, or of what would be."""
    if record.turn is not None and record.turn.request_sha256 is not None:
        return f"{record.turn.provider}:{record.turn.model}:{record.turn.request_sha256}"
    provider, request = _countable(chosen, record, sizes)
    return f"{provider.name}:{request.model}:{provider.prepare(request).sha256}"


def ask_count(chosen: ChatSettings, record: RequestRecord, sizes: MessageSizes) -> int | None:
    """Have the provider count a request, once. None where it has no counting endpoint. Raises ProviderError."""
    key = count_key(chosen, record, sizes)
    if key not in asked_counts():
        provider, request = _countable(chosen, record, sizes)
        counted = provider.count(request)
        if counted is None:
            return None
        asked_counts()[key] = counted
    return asked_counts()[key]


def _countable(chosen: ChatSettings, record: RequestRecord, sizes: MessageSizes) -> tuple[Provider, ChatRequest]:
    """The request of a record, on the model it went to (the session's, where nobody recorded one)."""
    turn = record.turn
    if turn is not None:
        chosen = replace(chosen, provider=turn.provider, model=str(turn.request.get("model", turn.model)))
    provider = provider_of(chosen, key_for(chosen.provider))
    return provider, ChatRequest(chosen.model, tuple(sizes.messages(record)), chosen.reserved_for_reply)
