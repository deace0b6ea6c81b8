"""A provider for the recorder's tests: it keeps every request as bytes, and answers with what a test prepared."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.servers.local_server import Handler, LocalServer
from tests.support.servers.replay_server import chunk, message_events, says


@dataclass
class Answer:
    """What the provider answers with. `gate` is waited for before the piece of that number; `cut` breaks off after the
    pieces, without an end."""

    pieces: Sequence[bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    gate: threading.Event | None = None
    gate_before: int = 1
    cut: bool = False


@dataclass
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for each, value in self.headers if each.lower() == name), None)


class Upstream:
    """The provider. `answers` are taken one by one; the last one stays."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.received: list[Received] = []
        self.left = threading.Event()  # a client closed its connection before the end
        self._http = LocalServer(type("Bound", (Answering,), {"upstream": self}))

    @property
    def origin(self) -> str:
        return self._http.origin

    def __enter__(self) -> Upstream:
        self._http.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.__exit__(*exc)

    def then(self, *answers: Answer) -> None:
        """Answer with these, in order."""
        self.answers = list(answers)

    def next_answer(self) -> Answer:
        """The answer to the request that just arrived."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def last(self) -> Received:
        return self.received[-1]


class Answering(Handler):
    """Answers one connection with what the test prepared."""

    protocol_version = "HTTP/1.1"
    upstream: Upstream

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.upstream.received.append(Received(self.command, self.path, list(self.headers.items()), body))
        self.close_connection = True
        try:
            self._send(self.upstream.next_answer())
        except OSError:
            self.upstream.left.set()

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = dict(answer.headers)
        chunked = "Transfer-Encoding" in headers
        if not chunked and not answer.cut:
            headers.setdefault("Content-Length", str(sum(map(len, answer.pieces))))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for number, piece in enumerate(answer.pieces):
            if answer.gate is not None and number == answer.gate_before:
                self._wait_for(answer.gate)
            self._piece(piece, chunked)
        if chunked and not answer.cut:
            self.wfile.write(b"0\r\n\r\n")

    def _wait_for(self, gate: threading.Event) -> None:
        """Wait until the test goes on. Raises ConnectionResetError if the client leaves meanwhile."""
        while not gate.wait(0.02):
            if self._is_gone():
                raise ConnectionResetError

    def _piece(self, piece: bytes, chunked: bool) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        self.wfile.flush()

    def _is_gone(self) -> bool:
        self.connection.setblocking(False)
        try:
            return not self.connection.recv(1)
        except BlockingIOError:
            return False
        finally:
            self.connection.setblocking(True)


STREAM = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}


def whole(body: Any, status: int = 200, **headers: str) -> Answer:
    """An answer in one piece."""
    return Answer([json.dumps(body).encode()], status, {"Content-Type": "application/json", **headers})


def streamed(*events: dict[str, Any], named: bool = False, **options: Any) -> Answer:
    """Server-sent events, each a piece of its own."""
    lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
    pieces = [line.encode() for line in lines] + ([] if named else [b"data: [DONE]\n\n"])
    return Answer(pieces, headers=STREAM, **options)


def completion(text: str | None, usage: dict[str, Any] | None = None, **message: Any) -> dict[str, Any]:
    """A whole answer of Chat Completions."""
    said = {"role": "assistant", "content": text, "refusal": None, **message}
    choice = {"index": 0, "message": said, "finish_reason": "tool_calls" if message.get("tool_calls") else "stop"}
    usage = usage or {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    return {**chunk(choices=[choice], usage=usage), "object": "chat.completion"}


def chat_stream(*texts: str, usage: dict[str, Any] | None = None, **options: Any) -> Answer:
    """The same as a stream; with usage only if the app asked for it."""
    end = [chunk(choices=[], usage=usage)] if usage else []
    return streamed(*(says(text) for text in texts), says(end="stop"), *end, **options)


def claude(*blocks: dict[str, Any], stop: str = "end_turn", **usage: int) -> dict[str, Any]:
    """A whole answer of Messages."""
    counts = {"input_tokens": 7, "output_tokens": 2, **usage}
    about = {"id": "msg-1", "type": "message", "role": "assistant", "model": "claude-1", "stop_sequence": None}
    return {**about, "content": list(blocks), "stop_reason": stop, "usage": counts}


def claude_stream(*texts: str, **options: Any) -> Answer:
    """The same as a stream."""
    return streamed(*message_events(*texts), named=True, **options)


def response(*items: dict[str, Any], name: str = "resp-1", **fields: Any) -> dict[str, Any]:
    """A whole answer of Responses."""
    usage = {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 8},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 24,
    }
    about = {"id": name, "object": "response", "created_at": 1, "model": "model-1", "status": "completed"}
    more = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None}
    return {**about, **more, "output": list(items), "usage": usage, **fields}


def said(text: str, name: str = "item-1") -> dict[str, Any]:
    """An output item with a text."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": name, "type": "message", "role": "assistant", "status": "completed", "content": [part]}


def response_stream(text: str, name: str = "resp-1", **options: Any) -> Answer:
    """A text as a stream of the Responses protocol."""
    begun = {**response(name=name), "status": "in_progress", "usage": None}
    place = {"item_id": "item-1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    events.append({"type": "response.output_item.added", "output_index": 0, "item": {**said(""), "content": []}})
    part = {"type": "output_text", "text": "", "annotations": []}
    events.append({"type": "response.content_part.added", **place, "part": part})
    events += [
        {"type": "response.output_text.delta", **place, "delta": word, "logprobs": []} for word in text.split(" ")
    ]
    events.append({"type": "response.output_item.done", "output_index": 0, "item": said(text)})
    events.append({"type": "response.completed", "response": response(said(text), name=name)})
    return streamed(*({**event, "sequence_number": at} for at, event in enumerate(events)), named=True, **options)
