"""WordModel: an OpenAI-compatible chat server that counts words. Every word is a token, and every message has two more.

It answers with `reply`, records every request, and can be told to wait, to fail, to break off or to report no usage.
The usage it reports is what it was really sent.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from tests.support.servers.local_server import Handler, LocalServer

KEY = "key-of-the-word-model"


def tokens(messages: list[dict[str, Any]]) -> int:
    """Its count of a transcript."""
    return sum(len(message["content"].split()) + 2 for message in messages)


class WordModel(LocalServer):
    """Start with `with WordModel() as word_model:`."""

    def __init__(self) -> None:
        self.reply = "fine thanks"
        self.gate: threading.Event | None = None  # replies wait for it before their second word
        self.error: tuple[int, dict[str, Any]] | None = None  # status and body of every answer
        self.break_off = False  # in the middle of the reply
        self.nonsense = b""  # a line to answer with instead
        self.reports_usage = True
        self.cached_tokens: int | None = 2  # tokens reported as cached; None reports nothing about a cache
        self.bodies: list[dict[str, Any]] = []
        self.reader_left = threading.Event()  # set when a reader leaves before the last word
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        """The base URL, ending in /v1."""
        return f"{self.origin}/v1"

    def __exit__(self, *exc: object) -> None:
        if self.gate is not None:
            self.gate.set()
        super().__exit__(*exc)

    @property
    def transcripts(self) -> list[list[tuple[str, str]]]:
        """Every transcript it was sent, as (role, text) pairs."""
        return [[(message["role"], message["content"]) for message in body["messages"]] for body in self.bodies]

    @property
    def last(self) -> list[tuple[str, str]]:
        """The newest transcript."""
        return self.transcripts[-1]

    @property
    def last_prompts(self) -> list[str]:
        """The user messages of the newest transcript."""
        return [text for role, text in self.last if role == "user"]

    def _handler(self) -> type[Handler]:
        model = self

        class WordHandler(Handler):
            def serve(self) -> None:
                body = self.read_json()
                if self.headers["Authorization"] != f"Bearer {KEY}":
                    self.answer_json(401, {"error": {"message": "wrong key"}})
                elif self.path.endswith("/input_tokens"):
                    self.answer_json(200, {"input_tokens": tokens(body["messages"])})
                elif model.error is not None:
                    self.answer_json(*model.error)
                else:
                    model.bodies.append(body)
                    self._stream(body)

            def _stream(self, body: dict[str, Any]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                if model.nonsense:
                    self.wfile.write(model.nonsense + b"\n\n")
                    return
                all_words = model.reply.split()
                words = all_words[: body["max_tokens"]]
                try:
                    for place, word in enumerate(words):
                        if place == 1 and model.gate is not None:
                            self._wait(model.gate)
                        if place == 1 and model.break_off:
                            return
                        self._choice({"content": word if place == 0 else f" {word}"}, None)
                    self._choice({}, "length" if len(words) < len(all_words) else "stop")
                    if model.reports_usage:
                        self._event({"choices": [], "usage": self._usage(body, len(words))})
                    self.wfile.write(b"data: [DONE]\n\n")
                except OSError:
                    model.reader_left.set()

            def _wait(self, gate: threading.Event) -> None:
                deadline = time.monotonic() + 30
                while not gate.wait(0.02) and time.monotonic() < deadline:
                    self.wfile.write(b": still here\n\n")  # fails once the reader is gone
                    self.wfile.flush()

            def _usage(self, body: dict[str, Any], written: int) -> dict[str, Any]:
                read = tokens(body["messages"])
                usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
                cached = model.cached_tokens
                return usage | ({} if cached is None else {"prompt_tokens_details": {"cached_tokens": cached}})

            def _choice(self, delta: dict[str, Any], finish_reason: str | None) -> None:
                self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})

            def _event(self, data: dict[str, Any]) -> None:
                event = {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": "words-1", **data}
                self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
                self.wfile.flush()

        return WordHandler
