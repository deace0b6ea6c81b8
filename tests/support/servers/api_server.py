"""Serves the HTTP routes on a real web server, with a store in memory and a provider that plays scripts."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request

from lib import api
from lib.api.guards import Guard
from lib.api.middleware.security_headers import SecurityHeaders
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.history import HistoryStore
from lib.history.memory import InMemoryHistory
from lib.providers import Provider
from lib.providers.scripted import Script, ScriptedProvider
from lib.settings import Endpoint
from tests.support.waiting import wait_until

SETTINGS = ChatSettings("scripted", "scripted-1", "Be brief.", 4096, 64, "oldest_first")
ENDPOINTS = {
    "scripted": Endpoint("scripted", "openai", "Scripted", model="scripted-1", key="sk-configured"),
    "other": Endpoint("other", "openai", "Other", model="other-1"),
}


class ScriptedConversations:
    """Conversations with one provider behind every endpoint. `opened` holds the settings it was opened with."""

    def __init__(self, store: HistoryStore) -> None:
        self.use(store)

    def use(self, store: HistoryStore) -> None:
        """Begin anew with this store."""
        self.provider = ScriptedProvider()
        self.service = ChatService(store)
        self.opened: list[ChatSettings] = []

    def chat(self) -> ChatService:
        return self.service

    def endpoints(self) -> Mapping[str, Endpoint]:
        return ENDPOINTS

    def settings(self, stored: Mapping[str, Any], provider: str | None = None) -> ChatSettings:
        settings = SETTINGS.updated(stored)
        if provider is None:
            return settings
        return replace(settings, provider=provider, model=ENDPOINTS[provider].model)

    def open_provider(self, settings: ChatSettings) -> Provider:
        self.opened.append(settings)
        return self.provider


class Refusing:
    """One person, to whom it refuses what a test tells it to refuse. `asked` holds what it was asked."""

    asked: list[tuple[str, bool]]
    error: Exception | None

    def __init__(self, conversations: ScriptedConversations) -> None:
        self._conversations = conversations

    def chat(self, request: Request) -> ChatService:
        return self._conversations.chat()

    def owner(self, request: Request) -> str:
        return ""

    def may(self, request: Request, session_id: str, write: bool) -> None:
        self.asked.append((session_id, write))
        if self.error is not None:
            raise self.error


@dataclass
class ApiServer:
    """The running server. Change `token`, `address` and `hosts` to change how it guards its routes."""

    conversations: ScriptedConversations
    access: Refusing
    client: httpx2.Client
    url: str = ""
    token: str | None = None
    address: str | None = "127.0.0.1"
    hosts: Sequence[str] = ()

    def begin_anew(self) -> None:
        """An empty store, and guards as on a machine of one's own."""
        self.conversations.use(InMemoryHistory(3600))
        self.access.asked, self.access.error = [], None
        self.token, self.address, self.hosts = None, "127.0.0.1", ()

    @property
    def store(self) -> HistoryStore:
        return self.conversations.service.store

    @property
    def provider(self) -> ScriptedProvider:
        return self.conversations.provider

    def plays(self, *pieces: str, **options: Any) -> None:
        """What the provider says next."""
        self.provider.enqueue(Script(pieces, **options))

    def say(self, message: str, **fields: Any) -> httpx2.Response:
        """POST /api/chat."""
        return self.client.post("/api/chat", json={"message": message, **fields})

    @contextmanager
    def stream(self, message: str, **fields: Any) -> Iterator[Iterator[tuple[str, Any]]]:
        """POST /api/chat for server-sent events: pairs of an event's name and its data."""
        headers = {"accept": "text/event-stream"}
        with self.client.stream("POST", "/api/chat", json={"message": message, **fields}, headers=headers) as response:
            assert response.headers["content-type"].startswith("text/event-stream"), response.read()
            yield events(response)

    def texts(self, session_id: str) -> list[str]:
        """The stored messages of a session."""
        return [message.text for message in self.store.load(session_id)]


def events(response: httpx2.Response) -> Iterator[tuple[str, Any]]:
    """The server-sent events of a response."""
    name = ""
    for line in response.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


@contextmanager
def serving() -> Iterator[ApiServer]:
    """A running server on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    conversations = ScriptedConversations(InMemoryHistory(3600))
    access = Refusing(conversations)
    with httpx2.Client(base_url=url, timeout=30, trust_env=False) as client:
        served = ApiServer(conversations, access, client, url)
        guard = Guard(lambda: served.token, lambda: served.address, lambda: served.hosts)
        routes = api.routes(conversations, guard, access)
        app = Starlette(routes=routes, middleware=[Middleware(SecurityHeaders)])
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        wait_until(lambda: server.started, "the server")
        yield served
        server.should_exit = True
        thread.join(10)
