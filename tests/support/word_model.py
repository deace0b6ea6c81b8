"""An OpenAI-compatible chat server that counts words: every word of a transcript is a token, and every message two more.

It answers with `reply`, keeps every transcript it was sent in `transcripts`, and can be told to be slow, to wait, to fail, or
to stop at its limit. What it reports as usage is what it was really sent.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "key-of-the-word-model"


def tokens(messages: list[dict[str, Any]]) -> int:
    return sum(len(message["content"].split()) + 2 for message in messages)


class WordModel:
    """Start with `with WordModel() as words:`."""

    def __init__(self) -> None:
        self.reply = "fine thanks"
        self.seconds_per_word = 0.0
        self.gate: threading.Event | None = None  # replies wait for it before their second word
        self.error: tuple[int, dict[str, Any]] | None = None
        self.break_off = False  # in the middle of the reply
        self.nonsense = b""  # a line that it answers with instead
        self.usage = True  # whether it reports any
        self.cached: int | None = 2  # tokens that it says were cached; None where it does not say
        self.bodies: list[dict[str, Any]] = []
        self.cut_off = threading.Event()  # somebody went away before the last word
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> WordModel:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.gate is not None:
            self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def transcripts(self) -> list[list[tuple[str, str]]]:
        """Role and text of the messages of every transcript it was sent."""
        return [[(message["role"], message["content"]) for message in body["messages"]] for body in self.bodies]

    @property
    def last(self) -> list[tuple[str, str]]:
        return self.transcripts[-1]

    def _handler(words) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler's own self is the inner one
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.headers["Authorization"] != f"Bearer {KEY}":
                    self._json(401, {"error": {"message": "wrong key"}})
                elif self.path.endswith("/input_tokens"):
                    self._json(200, {"input_tokens": tokens(body["messages"])})
                elif words.error is not None:
                    self._json(*words.error)
                else:
                    words.bodies.append(body)
                    self._reply(body)

            def _reply(self, body: dict[str, Any]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                if words.nonsense:
                    self.wfile.write(words.nonsense + b"\n\n")
                    return
                said = words.reply.split()[: body["max_tokens"]]
                try:
                    for place, word in enumerate(said):
                        if place == 1 and words.gate is not None:
                            self._wait(words.gate)
                        if place == 1 and words.break_off:
                            return
                        delta = {"content": word if place == 0 else f" {word}"}
                        self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
                        time.sleep(words.seconds_per_word)
                    reason = "length" if len(said) < len(words.reply.split()) else "stop"
                    self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
                    if words.usage:
                        self._event({"choices": [], "usage": self._used(body, len(said))})
                    self.wfile.write(b"data: [DONE]\n\n")
                except OSError:
                    words.cut_off.set()

            def _wait(self, gate: threading.Event) -> None:
                deadline = time.monotonic() + 30
                while not gate.wait(0.02) and time.monotonic() < deadline:
                    self.wfile.write(b": still here\n\n")  # fails when the reader is gone
                    self.wfile.flush()

            def _used(self, body: dict[str, Any], wrote: int) -> dict[str, Any]:
                read = tokens(body["messages"])
                used = {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}
                details = {} if words.cached is None else {"prompt_tokens_details": {"cached_tokens": words.cached}}
                return used | details

            def _event(self, data: dict[str, Any]) -> None:
                event = {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": "words-1", **data}
                self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
                self.wfile.flush()

            def _json(self, status: int, data: dict[str, Any]) -> None:
                body = json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
