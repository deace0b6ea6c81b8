"""A model server that speaks both vendors' protocols to the real SDKs, pauses on demand, and misbehaves on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.servers.local_server import Handler, LocalServer
from tests.support.servers.replay_server import message_events, says

WORDS = 12
Behaviour = Callable[[Handler], None]
"""Answers one POST, instead of the words that the server would answer with."""


class ModelServer:
    """Answers each message with a reply made from it. Start it with `with`.

    While `pause_after` is a number, a reply stops after that many words until `go_on` is set. `behave` answers instead
    if it is set. `lifted` tells a behaviour that would go on for ever to end. `cut_off` counts clients that left early.
    """

    def __init__(self) -> None:
        self.pause_after: int | None = None
        self.go_on = threading.Event()
        self.behave: Behaviour | None = None
        self.lifted = threading.Event()
        self.requests = 0
        self.cut_off = 0
        self._http = LocalServer(self._handler())

    def url(self, kind: str) -> str:
        """The base URL for the SDK of this vendor."""
        return f"{self._http.origin}/v1" if kind == "openai" else self._http.origin

    def __enter__(self) -> ModelServer:
        self._http.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.go_on.set()
        self.lifted.set()
        self._http.__exit__(*exc)

    @staticmethod
    def reply_to(prompt: str) -> str:
        """The whole reply to this message."""
        return "".join(f"{prompt}-{number} " for number in range(1, WORDS + 1))

    def _handler(model) -> type[Handler]:  # noqa: N805 - the handler's own self is the inner one
        class Answer(Handler):
            def serve(self) -> None:
                asked = self.read_json()
                if self.command != "POST" or "input_tokens" in self.path or "count" in self.path:
                    self.answer_json(404, {"error": {"message": "there is no such address"}})
                    return
                model.requests += 1
                try:
                    if model.behave is not None:
                        model.behave(self)
                    else:
                        model._type(self, str(asked["messages"][-1]["content"]))
                except OSError:
                    model.cut_off += 1
                self.close_connection = True

        return Answer

    def _type(self, handler: Handler, prompt: str) -> None:
        """Stream the reply word by word, with the pause if one is wanted."""
        begin_stream(handler)
        words = self.reply_to(prompt).split(" ")[:-1]
        events = word_events(handler, [f"{word} " for word in words])
        first_word = 0 if is_openai(handler) else 2
        for number, event in enumerate(events):
            if self.pause_after is not None and number == first_word + self.pause_after:
                self.go_on.wait(60)
            handler.wfile.write(event)
            handler.wfile.flush()


def is_openai(handler: BaseHTTPRequestHandler) -> bool:
    """Whether this request speaks OpenAI's protocol."""
    return "chat/completions" in handler.path


def begin_stream(handler: Handler, status: int = 200, **headers: str) -> None:
    """The head of a streamed answer."""
    handler.send_response(status)
    for name, value in {"Content-Type": "text/event-stream", "Connection": "close", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def word_events(handler: BaseHTTPRequestHandler, words: list[str]) -> list[bytes]:
    """The events of a whole reply in the protocol of this request. Anthropic's has two before the first word."""
    if is_openai(handler):
        chunks: list[dict[str, Any]] = [*map(says, words), says(end="stop")]
        return [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks] + [b"data: [DONE]\n\n"]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in message_events(*words)]
