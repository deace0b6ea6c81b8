"""A Messages server that holds threads in memory, as far as Anthropic's own helper asks for them. For tests only.

Its tokens are words and its reply is always as long, so that sizes are known exactly. `forget()` loses every thread, `refusal`
and `unsupported` and `error_code` change the next answer.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

WINDOW = 3000
REPLY = ["You", " said", " number"]


class ClaudeServer:
    """Start with `with ClaudeServer() as server:`; `server.url` is its base URL."""

    def __init__(self, *, ignores_threads: bool = False) -> None:
        self.ignores_threads = ignores_threads
        self.bodies: list[dict[str, Any]] = []
        self.betas: list[str | None] = []
        self.threads: dict[str, dict[str, Any]] = {}
        self.error_code: str | None = None
        self.stop_reason = "end_turn"
        self.fallback = False
        self.breaks_off = False
        self._ids = count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ClaudeServer:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forget(self) -> None:
        """Lose every thread, as after five minutes."""
        self.threads.clear()

    @staticmethod
    def tokens(messages: list[dict[str, Any]]) -> int:
        """Five per message, and its words."""
        return sum(5 + len(said(message["content"]).split()) for message in messages)

    def _turn(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        thread = body.get("thread") or {}
        held: dict[str, Any] = {"system": body.get("system", ""), "messages": []}
        if thread.get("type") == "continue" and not self.ignores_threads:
            found = self.threads.get(thread["previous_message_id"])
            if found is None or self.error_code:
                return refusal(404, self.error_code or "thread_not_found")
            held = found
        elif self.error_code:
            return refusal(400, self.error_code)
        messages = [*held["messages"], *body["messages"]]
        first = [{"content": held["system"]}] if held["system"] else []
        read = self.tokens([*first, *messages])
        if read > WINDOW:
            return 400, {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": f"prompt is too long: {read} tokens > {WINDOW} maximum",
                },
            }
        id_ = f"msg_{next(self._ids):08}"
        self.threads[id_] = {**held, "messages": [*messages, {"role": "assistant", "content": "".join(REPLY)}]}
        step = [{"type": "fallback_message", "input_tokens": read, "output_tokens": 3}] if self.fallback else None
        return 200, {
            "id": id_,
            "type": "message",
            "role": "assistant",
            "model": "scripted",
            "content": [{"type": "text", "text": "".join(REPLY)}],
            "stop_reason": self.stop_reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": read - 2,
                "cache_read_input_tokens": 2,
                "cache_creation_input_tokens": 0,
                "output_tokens": 3,
                "iterations": step,
            },
        }

    def _events(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        start = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "iterations": None}}
        deltas = [
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in REPLY
        ]
        if self.breaks_off:
            return [{"type": "message_start", "message": start}, *deltas]
        return [
            {"type": "message_start", "message": start},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            *deltas,
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": self.stop_reason, "stop_sequence": None},
                "usage": message["usage"],
            },
            {"type": "message_stop"},
        ]

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's own self is the inner one
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.startswith("/v1/messages/count_tokens"):
                    first = [{"content": body["system"]}] if body.get("system") else []
                    self._answer(200, json.dumps({"input_tokens": server.tokens([*first, *body["messages"]])}))
                    return
                server.bodies.append(body)
                server.betas.append(self.headers.get("anthropic-beta"))
                status, answer = server._turn(body)
                if status != 200 or not body.get("stream"):
                    self._answer(status, json.dumps(answer))
                    return
                lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in server._events(answer)]
                self._answer(200, "".join(lines), "text/event-stream")

            def _answer(self, status: int, text: str, content_type: str = "application/json") -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

        return Handler


def said(content: Any) -> str:
    """The text of a message: a string, or text blocks."""
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def refusal(status: int, code: str) -> tuple[int, dict[str, Any]]:
    details = {"error_code": code, **({"unsupported": ["container"]} if code == "thread_unsupported_request" else {})}
    kind = "not_found_error" if status == 404 else "invalid_request_error"
    return status, {"type": "error", "error": {"type": kind, "message": f"refused: {code}", "details": details}}
