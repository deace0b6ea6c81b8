"""One real model for all tests here, and a server that records requests and replays answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lib.providers.llama.process import INSTALL, LocalModel, packaged_model


@pytest.fixture(scope="session")
def model() -> Iterator[LocalModel]:
    """The embedded model, started once."""
    if packaged_model() is None:
        pytest.skip(f"needs the model file: {INSTALL}")
    running = LocalModel()
    running.ensure()
    yield running
    running.close()


class Replay:
    """Answers every POST with `status`, `headers` and `body`; keeps the bytes it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body: bytes = b""
        self.promised = 0  # bytes that the answer claims to have, where it claims more than it has
        self.received: list[bytes] = []
        self.paths: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def events(self, *events: dict[str, Any], named: bool = False) -> None:
        """Answer with server-sent events; named ones as Anthropic sends them."""
        self.status, self.headers = 200, {"Content-Type": "text/event-stream"}
        lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
        self.body = ("".join(lines) + ("" if named else "data: [DONE]\n\n")).encode()

    def error(self, status: int, body: Any, **headers: str) -> None:
        """Answer with an error."""
        self.status, self.headers = status, {"Content-Type": "application/json", **headers}
        self.body = json.dumps(body).encode()

    def _handler(replay) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's own self is the inner one
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_POST(self) -> None:
                replay.paths.append(self.path)
                replay.received.append(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer()

            def do_GET(self) -> None:
                replay.paths.append(self.path)
                self._answer()

            def _answer(self) -> None:
                self.send_response(replay.status)
                for name, value in replay.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(replay.promised or len(replay.body)))
                self.end_headers()
                self.wfile.write(replay.body)

        return Handler


@pytest.fixture
def replay() -> Iterator[Replay]:
    answers = Replay()
    threading.Thread(target=answers.server.serve_forever, args=(0.02,), daemon=True).start()
    yield answers
    answers.server.shutdown()
    answers.server.server_close()
