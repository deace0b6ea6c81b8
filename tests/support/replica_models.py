"""The model behind a server under test: the embedded one, asked for short answers, and noting what it was asked to read.

A server that reports no usage, or a wrong one, is seen through here: `read` holds the tokens of every request that reached the
model, by the model's own count.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lib.providers.llama.process import LocalModel

SHORT = {"temperature": 0, "repeat_penalty": 1.1, "max_tokens": 16}


class Behind:
    """Start with `with Behind(model) as behind:`; `behind.url` is a base URL that ends in /v1."""

    def __init__(self, model: LocalModel) -> None:
        self.read: list[int] = []
        self._address = model.ensure()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Behind:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def asked(self, path: str, body: dict[str, Any] | None) -> tuple[int, str, bytes]:
        """The model's answer: status, content type, body."""
        headers = {"Authorization": f"Bearer {self._address.key}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._address.url}{path}", sent, headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, exc.headers["Content-Type"], exc.read()

    def count(self, messages: list[dict[str, Any]]) -> int:
        """Tokens of these messages by the model's own tokenizer and template."""
        _, _, answer = self.asked("/v1/chat/completions/input_tokens", {"messages": messages})
        return int(json.loads(answer)["input_tokens"])

    def _handler(behind) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's own self is the inner one
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self._answer(*behind.asked(self.path, None))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.endswith("/chat/completions"):
                    behind.read.append(behind.count(body["messages"]))
                self._answer(*behind.asked(self.path, {**body, **SHORT}))

            def _answer(self, status: int, content_type: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
