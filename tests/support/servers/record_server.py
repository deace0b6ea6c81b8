"""Serves the recorder's routes on a real web server, in front of a provider that a test plays."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from lib.api import record
from lib.api.guards import Guard
from lib.api.middleware.as_sent import AsSent
from lib.chat_settings import ChatSettings
from lib.history import HistoryStore
from lib.messages import Message
from lib.providers.llama.process import ChildAddress, LocalModel
from lib.recorder.entries import Entry
from lib.recorder.rebuild import RebuiltBody, rebuilt
from lib.recorder.recorder import Recorder
from lib.settings import Endpoint
from lib.tokens import TokenCounter
from lib.tokens.model_counters import counter_for
from lib.turns import Turn
from tests.support.servers.api_server import Refusing, ScriptedConversations
from tests.support.servers.upstream import Upstream
from tests.support.waiting import wait_until


class Parts:
    """What the recorder needs of the app, with one window for every model."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store

    def store(self, owner: str) -> HistoryStore:
        return self._store

    def settings(self, endpoint: Endpoint, model: str) -> ChatSettings:
        return ChatSettings(endpoint.name, model, "", endpoint.window, endpoint.reserve, "low_water")

    def counter(self, settings: ChatSettings) -> TokenCounter:
        return counter_for("openai", settings.model)


@dataclass
class RecordServer:
    """The running server. `url` is its origin; `upstream` the provider behind it."""

    url: str
    store: HistoryStore
    recorder: Recorder
    upstream: Upstream
    access: Refusing
    token: str | None = None
    address: str = "127.0.0.1"
    local: LocalModel | None = None
    """The model on this machine; without one, the upstream plays it."""

    def done(self, count: int) -> list[Entry]:
        """The list when this many requests have been recorded or passed on, oldest first."""

        def finished() -> list[Entry]:
            return [entry for entry in self.recorder.entries.newest(self.store) if entry.state != "running"]

        wait_until(lambda: len(finished()) >= count, "the records")
        return finished()[::-1]

    def turns(self, count: int) -> list[Turn]:
        """All turns of the newest request's session, when this many requests are done."""
        return self.store.turns(self.done(count)[-1].session_id)

    def history(self) -> list[Message]:
        """The stored messages of the newest request's session."""
        return list(self.store.load(self.done(1)[-1].session_id))

    def rebuilt(self, session_id: str) -> list[RebuiltBody | None]:
        """The body of every turn of a session, written again."""
        turns, history = self.store.turns(session_id), self.store.load(session_id)
        return [rebuilt(turn, turns, history) for turn in turns]


class _Port:
    def __init__(self, served: RecordServer) -> None:
        self._served = served

    def recorder(self) -> Recorder:
        return self._served.recorder

    def endpoints(self) -> Mapping[str, Endpoint]:
        return endpoints(self._served.upstream)

    def local_address(self) -> ChildAddress:
        model = self._served.local
        return ChildAddress(self._served.upstream.origin, "key-of-the-model-here") if model is None else model.ensure()


def endpoints(upstream: Upstream) -> dict[str, Endpoint]:
    """A provider for each protocol, both of them the one that the test plays."""
    return {
        "local": Endpoint("local", "local", "This machine", model="small-1", window=2048, reserve=256),
        "openai": Endpoint("openai", "openai", "OpenAI", f"{upstream.origin}/v1", "model-1"),
        "anthropic": Endpoint("anthropic", "anthropic", "Anthropic", upstream.origin, "claude-1"),
        "nowhere": Endpoint("nowhere", "openai", "Nowhere", "http://127.0.0.1:9/v1", "model-1"),
    }


@contextmanager
def recording(store: HistoryStore, *, on: bool = True) -> Iterator[RecordServer]:
    """A running server on a port of its own, with the compression that Streamlit adds."""
    listener = socket.create_server(("127.0.0.1", 0))
    targets = {"openai": "openai", "anthropic": "anthropic"}
    with Upstream() as upstream:
        recorder = Recorder(Parts(store), on=on, targets=targets)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        access = Refusing(ScriptedConversations(store))
        access.asked, access.error = [], None
        served = RecordServer(url, store, recorder, upstream, access)
        guard = Guard(lambda: served.token, lambda: served.address)
        routes = record.routes(_Port(served), guard, served.access)
        app = Starlette(routes=routes, middleware=[Middleware(AsSent), Middleware(GZipMiddleware, minimum_size=1)])
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        wait_until(lambda: server.started, "the server")
        yield served
        recorder.close()
        server.should_exit = True
        thread.join(10)
        wait_until(lambda: not [one for one in threading.enumerate() if one.name.startswith("record-")], "the records")


def client(served: RecordServer) -> httpx2.Client:
    """A plain HTTP client."""
    return httpx2.Client(base_url=served.url, timeout=30, trust_env=False)
