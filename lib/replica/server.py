"""ReplicaServer: starts and stops the replica on a private address of this machine.

It listens on 127.0.0.1 at any free port, requires its random key, and ends with the process at the latest.

Example: with ReplicaServer(embedded_backend(model)) as replica: openai.OpenAI(base_url=f"{replica.url}/v1", ...)
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lib.errors import ProviderUnavailable
from lib.providers.llama.process import SLOT_TOKENS
from lib.replica.anthropic.messages import Messages
from lib.replica.anthropic.threads import Threads
from lib.replica.asgi_app import application
from lib.replica.asked_once import AskedOnce
from lib.replica.drills import Drills
from lib.replica.http_values import Clock, Route
from lib.replica.model import Backend, Model
from lib.replica.openai.assistants import Assistants
from lib.replica.openai.conversations import Conversations
from lib.replica.openai.responses import Responses
from lib.replica.openai.runs import Runs
from lib.replica.store import Store

if TYPE_CHECKING:
    from uvicorn import Server

REPLY_TOKENS = 256
"""The limit of a reply if the request sets none: a small model may never end by itself."""
START_SECONDS = 20.0
STOP_SECONDS = 5.0


class ReplicaServer:
    """One server and what it holds. `window` and `reply_tokens` in tokens.

    `asked_once` remembers replies, so that equal requests have equal ones. What the server holds survives `close` and a
    second `start`, but not the object.
    """

    def __init__(
        self,
        backend: Callable[[], Backend],
        *,
        window: int = SLOT_TOKENS,
        reply_tokens: int = REPLY_TOKENS,
        clock: Clock = time.time,
        store: Store | None = None,
        asked_once: AskedOnce | None = None,
    ) -> None:
        self.key = secrets.token_urlsafe(24)
        self.window = window
        self._backend, self._reply_tokens, self._clock = backend, reply_tokens, clock
        self._store, self._asked_once = store or Store(), asked_once
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    def __enter__(self) -> ReplicaServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ReplicaServer({'running' if self.running else 'not running'})"

    @property
    def url(self) -> str:
        """The base URL for the anthropic SDK; the openai SDK needs /v1 after it."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start it if it is not running. Raises ProviderUnavailable."""
        with self._lock:
            if not self.running:
                self._start()

    def close(self) -> None:
        """Stop it. A reply that is still streaming is cut off."""
        with self._lock:
            server, thread = self._server, self._thread
            self._server = self._thread = None
            if server is None or thread is None:
                return
            server.should_exit = True
            thread.join(STOP_SECONDS)
            server.force_exit = True
            thread.join(STOP_SECONDS)

    def _start(self) -> None:
        import uvicorn

        model = Model(self._backend, self.window, self._reply_tokens, self._asked_once)
        listener = socket.create_server(("127.0.0.1", 0))
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            application(self._routes(model), self.key, model.close),
            log_config=None,
            access_log=False,
            lifespan="on",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="replica", daemon=True)
        self._server, self._thread = server, thread
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                server.should_exit = True
                raise ProviderUnavailable("The replica on this machine did not start.")
            time.sleep(0.005)

    def _routes(self, model: Model) -> list[Route]:
        """Every endpoint; paths with fixed words come before paths with an id in the same place."""
        endpoints = (
            Responses(self._store, model, self._clock),
            Conversations(self._store, self._clock),
            Runs(self._store, model, self._clock),
            Assistants(self._store, self._clock),
            Messages(Threads(self._store, self._clock), model),
            Drills(self._store, model, self._clock),
        )
        return [route for part in endpoints for route in part.routes()]
