"""A server that records requests and replays answers, and the vendors' stream events for it to replay."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Replay:
    """Answers every POST with `status`, `headers` and `body`; keeps the bytes it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body: bytes = b""
        self.promised = 0  # bytes that the answer claims to have, if it claims more than it has
        self.moved: dict[str, str] = {}  # paths that are redirected (307), with the address that each has now
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
                if self.path in replay.moved:
                    self.send_response(307)
                    self.send_header("Location", replay.moved[self.path])
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(replay.status)
                for name, value in replay.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(replay.promised or len(replay.body)))
                self.end_headers()
                self.wfile.write(replay.body)

        return Handler


def chunk(**fields: Any) -> dict[str, Any]:
    return {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": "model-1-dated", **fields}


def says(text: str | None = None, end: str | None = None, **delta: Any) -> dict[str, Any]:
    content = {} if text is None else {"content": text}
    return chunk(choices=[{"index": 0, "delta": {**content, **delta}, "finish_reason": end}])


def message_events(*texts: str, stop: str = "end_turn", start: Any = None, end: Any = None) -> list[dict[str, Any]]:
    message: dict[str, Any] = {
        "id": "msg-1",
        "type": "message",
        "role": "assistant",
        "model": "model-1-dated",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": start or {"input_tokens": 3, "output_tokens": 1},
    }
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in texts
    ]
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": end or {"output_tokens": 5},
        },
        {"type": "message_stop"},
    ]
