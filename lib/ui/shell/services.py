"""The composition root: the one place that chooses real parts.

Parts are made once per app process, on first use, and nothing heavy is imported before it is needed. A part that cannot
be made raises a ChatError, is not cached, and is tried again at the next rerun.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, cast

import streamlit as st
from streamlit import config

from lib.access import THE_ONE, Person
from lib.access.gate import Gate
from lib.access.gated_chat import GatedChat
from lib.access.own_votes import OwnVotes
from lib.access.people import People, open_people
from lib.chat.replays import Replays
from lib.chat.rounds import Rounds
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.history import HistoryStore
from lib.history.factory import open_history
from lib.pricing.catalogue import find
from lib.pricing.model import Model
from lib.providers import Provider
from lib.providers.factory import open_counter, open_provider, vendor_of
from lib.providers.llama.process import LocalModel
from lib.providers.local_servers import LocalServers
from lib.recorder.entries import Entries
from lib.recorder.recorder import Recorder
from lib.recorder.session_settings import settings_of
from lib.settings import Endpoint, Settings, load_settings
from lib.settings.known_servers import added_before
from lib.spending import Caps
from lib.spending.spending import Spending
from lib.tokens import ESTIMATE, TokenCounter
from lib.ui.people import person
from lib.ui.providers import added
from lib.ui.shell import session
from lib.ui.shell.last_used import LastUsed

if TYPE_CHECKING:
    from lib.lab.recall.run import Probe
    from lib.server_history.comparison import Comparison
    from lib.server_history.offline import LocalReplica

KEPT = 64
"""Probes and comparisons kept in this process. A browser session that is gone never asks for its own again."""

Background = TypeVar("Background", Replays, Rounds)

_to_close: list[Callable[[], None]] = []
"""How to close each part, in the order in which they were made."""


def close() -> None:
    """Close what was made, the newest first. For the server's end; the parts also close themselves at exit."""
    while _to_close:
        _to_close.pop()()


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """How this installation is set up. Raises InvalidSettings."""
    return load_settings()


@st.cache_resource(show_spinner=False)
def people() -> People:
    """Whose sessions are whose in this installation. Raises InvalidSettings."""
    streamlits = st.get_option("server.cookieSecret") if config.is_manually_set("server.cookieSecret") else None
    return open_people(settings(), st.get_option("server.address"), streamlits)


def asking() -> Person:
    """Who looks at this page. In any thread if the installation has one person only."""
    return person.of_this_page(people())


def chat() -> ChatService:
    """The conversations as the person who looks at this page may use them. Raises HistoryUnavailable where the store
    cannot be opened."""
    return _chat_of(asking())


def _chat_of(whoever: Person) -> ChatService:
    """The conversations behind this person's gate. In any thread."""
    shared = everyones_chat()
    return shared if whoever == THE_ONE else GatedChat(Gate(whoever, shared.store), shared)


@st.cache_resource(show_spinner=False)
def everyones_chat() -> ChatService:
    """The same without the gate: for the server itself, and for what puts a gate before it."""
    store, limits = open_history(settings()), settings().caps
    spending = Spending(store, find_model, Caps(limits.session, limits.day))
    service = ChatService(store, counter_of, spending)
    _to_close.append(service.close)
    return service


def replays() -> Replays:
    """The conversations that this person sends again. Raises HistoryUnavailable where the store cannot be opened."""
    return _own(Replays)


def rounds() -> Rounds:
    """The chats that this person asks side by side. Raises HistoryUnavailable where the store cannot be opened."""
    return _own(Rounds)


def votes() -> OwnVotes:
    """How this person voted between hidden models. Raises HistoryUnavailable where the store cannot be opened."""
    return OwnVotes(everyones_chat().store.votes, asking().id)


def _own(kind: type[Background]) -> Background:
    """This person's part that sends messages in the background."""
    whoever, everyones = asking(), _background_parts()
    key = (kind, whoever.id)
    if key not in everyones:
        everyones[key] = kind(_chat_of(whoever))
        _to_close.append(everyones[key].close)
    return cast(Background, everyones[key])


@st.cache_resource(show_spinner=False)
def _background_parts() -> dict[tuple[type, str], Replays | Rounds]:
    """By what they are, and the person's id."""
    return {}


@st.cache_resource(show_spinner=False)
def local_model() -> LocalModel:
    """The embedded model. It starts at its first request."""
    model = LocalModel(settings().local_model)
    _to_close.append(model.close)
    return model


@st.cache_resource(show_spinner=False)
def local_servers() -> LocalServers:
    """The other model servers on this machine. Asked in the background."""
    return LocalServers(settings().local_servers.values())


def endpoint(name: str) -> Endpoint:
    """The endpoint of this name, a server found on this machine with the first of its models; the local one where it
    is no longer configured."""
    chosen = settings()
    if name in chosen.local_servers:
        models = local_servers().models().get(name, ())
        return replace(chosen.local_servers[name], model=models[0] if models else "")
    return chosen.endpoints.get(name) or added.endpoints().get(name) or added_before(name) or chosen.endpoints["local"]


def is_known(name: str) -> bool:
    """Whether this endpoint is configured, or was added on a page."""
    return name in settings().endpoints or name in added.endpoints()


def offered_endpoints() -> dict[str, Endpoint]:
    """The endpoints to choose from: the configured ones, and the servers that answer on this machine. Does not wait."""
    found = local_servers().models()
    return {**settings().endpoints, **{name: endpoint(name) for name in found}}


def key_for(name: str) -> str | None:
    """The API key for this endpoint: the one typed in this browser session, else the configured one."""
    return session.typed_key(name) or added.key_of(endpoint(name), asking().id)


def provider_of(chosen: ChatSettings, key: str | None) -> Provider:
    """The provider for a chat's settings. Safe in any thread: it reads no session state."""
    return open_provider(endpoint(chosen.provider), key, local_model())


def counter_of(chosen: ChatSettings, provider: Provider | None = None) -> TokenCounter:
    """The token counter for a chat's settings. Without a provider no server is asked, so a page need not wait."""
    if chosen.strategy == "source_trim":  # the source document measures in characters / 4
        return ESTIMATE
    return open_counter(endpoint(chosen.provider), chosen.model, local_model(), provider)


def asked_counter(chosen: ChatSettings) -> TokenCounter:
    """The counter for these settings. It may ask the server or start the local model. Raises ProviderError."""
    added.refuse_others(chosen.provider, asking().id)
    return counter_of(chosen, provider_of(chosen, key_for(chosen.provider)))


def find_model(provider: str, model: str) -> Model | None:
    """The catalogue's entry for a turn's provider and model; None where the endpoint's owner sets its own prices."""
    vendor = vendor_of(endpoint(provider)) if is_known(provider) else None
    return None if vendor is None else find(vendor, model)


class _RecorderParts:
    """What recording needs: the same store, settings and counters as the pages have."""

    def store(self, owner: str) -> HistoryStore:
        """The store of the pages, behind the gate of the person whose app it is."""
        mode = people().mode
        return _chat_of(Person(mode, owner) if owner else THE_ONE).store

    def settings(self, endpoint: Endpoint, model: str) -> ChatSettings:
        return settings_of(endpoint, model)

    def counter(self, settings: ChatSettings) -> TokenCounter:
        """The model's counter. Its server is asked with the configured key."""
        return counter_of(settings, provider_of(settings, endpoint(settings.provider).key))


@st.cache_resource(show_spinner=False)
def recorder() -> Recorder:
    """The recorder of requests that people's own apps send. Raises InvalidSettings."""
    made = Recorder(_RecorderParts(), on=settings().record, targets=settings().record_to)
    _to_close.append(made.close)
    return made


def recorded() -> Entries:
    """The requests of this person's apps; everybody's for who sees everything."""
    whoever = asking()
    return recorder().entries if whoever.sees_all else recorder().entries_of(whoever.id)


@st.cache_resource(show_spinner=False)
def probes() -> LastUsed[Probe]:
    """Recall probes, by a random name that only their browser session knows. One that makes room is cancelled.

    Not in Streamlit's session-scoped cache: that is emptied when the connection drops for a moment, and these were paid
    for.
    """
    return LastUsed(KEPT, lambda probe: probe.cancel())


@st.cache_resource(show_spinner=False)
def replicas() -> tuple[LocalReplica, LocalReplica]:
    """Two servers on this machine that keep conversations as the vendors do: one for the page, and one as another
    account for the drill that switches accounts. They start at their first request."""
    from lib.server_history.offline import LocalReplica  # on first use: the chat page must not wait for it

    pair = (LocalReplica.on(local_model()), LocalReplica.on(local_model()))
    _to_close.extend(replica.close for replica in pair)
    return pair


@st.cache_resource(show_spinner=False)
def sides() -> LastUsed[Comparison]:
    """Conversations running side by side, by a random name that only their browser session knows.

    One that makes room has nothing to close: its ids are stored with the chat, and the page goes on from them.
    """
    return LastUsed(KEPT)
