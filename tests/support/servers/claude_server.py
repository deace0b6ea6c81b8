"""ClaudeServer: a Messages server that holds threads in memory, as far as Anthropic's own helper needs them.

Its tokens are words and its reply is always the same, so that sizes are known exactly. `forget()` loses every thread;
`error_code`, `stop_reason`, `fallback`, `breaks_off` and `refuses_diagnostics` change the next answers. Asked why its
cache missed, it compares with the request named, if that one asked too.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from tests.support.servers.local_server import Handler, LocalServer

WINDOW = 3000
REPLY = ["You", " said", " number"]


class ClaudeServer(LocalServer):
    """Start with `with ClaudeServer() as server:`."""

    def __init__(self, *, ignores_threads: bool = False) -> None:
        self.ignores_threads = ignores_threads
        self.bodies: list[dict[str, Any]] = []
        self.betas: list[str | None] = []
        self.threads: dict[str, dict[str, Any]] = {}
        self.error_code: str | None = None
        self.error_once = False  # answers with the error code only once
        self.statuses: list[int] = []
        self.stop_reason = "end_turn"
        self.fallback = False
        self.breaks_off = False
        self.refuses_diagnostics = False
        self.remembered: dict[str, dict[str, Any]] = {}  # requests that asked, by the id of their reply
        self._ids = count(1)
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        """The base URL for the anthropic SDK."""
        return self.origin

    def forget(self) -> None:
        """Lose every thread, as after five minutes."""
        self.threads.clear()

    @staticmethod
    def tokens(messages: list[dict[str, Any]]) -> int:
        """Its count: five per message, and the words."""
        return sum(5 + len(text_of(message["content"]).split()) for message in messages)

    def _count(self, system: str, messages: list[dict[str, Any]]) -> int:
        return self.tokens([*([{"content": system}] if system else []), *messages])

    def _turn(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to a request."""
        thread = body.get("thread") or {}
        held: dict[str, Any] = {"system": body.get("system", ""), "messages": []}
        if thread.get("type") == "continue" and not self.ignores_threads:
            found = self.threads.get(thread["previous_message_id"])
            if found is None or self.error_code:
                return 404, self._error(self.error_code or "thread_not_found", "not_found_error")
            held = found
        elif self.error_code:
            return 400, self._error(self.error_code, "invalid_request_error")
        if "diagnostics" in body and self.refuses_diagnostics:
            message = "diagnostics: Extra inputs are not permitted"
            return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
        messages = [*held["messages"], *body["messages"]]
        read = self._count(held["system"], messages)
        if read > WINDOW:
            message = f"prompt is too long: {read} tokens > {WINDOW} maximum"
            return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
        id_ = f"msg_{next(self._ids):08}"
        self.threads[id_] = {**held, "messages": [*messages, {"role": "assistant", "content": "".join(REPLY)}]}
        answer = self._message(id_, read)
        if "diagnostics" in body:
            self.remembered[id_] = body
            answer["diagnostics"] = self._diagnosis(body)
        return 200, answer

    def _diagnosis(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """Null for no difference, and where no request is named."""
        named = body["diagnostics"]["previous_message_id"]
        before = self.remembered.get(named)
        if named is None:
            return None
        if before is None:
            return {"cache_miss_reason": {"type": "previous_message_not_found"}}
        for field in ("model", "system", "tools"):
            if before.get(field) != body.get(field):
                return self._miss(f"{field}_changed", before)
        sent = before["messages"]
        return None if body["messages"][: len(sent)] == sent else self._miss("messages_changed", before)

    def _miss(self, kind: str, before: dict[str, Any]) -> dict[str, Any]:
        missed = self._count(before.get("system", ""), before["messages"])
        return {"cache_miss_reason": {"type": kind, "cache_missed_input_tokens": missed}}

    def _message(self, id_: str, read: int) -> dict[str, Any]:
        step = [{"type": "fallback_message", "input_tokens": read, "output_tokens": 3}] if self.fallback else None
        return {
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

    def _error(self, code: str, kind: str) -> dict[str, Any]:
        if self.error_once:
            self.error_code = None
        unsupported = {"unsupported": ["container"]} if code == "thread_unsupported_request" else {}
        details = {"error_code": code, **unsupported}
        return {"type": "error", "error": {"type": kind, "message": f"refused: {code}", "details": details}}

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

    def _handler(self) -> type[Handler]:
        server = self

        class ClaudeHandler(Handler):
            def serve(self) -> None:
                body = self.read_json()
                if self.path.startswith("/v1/messages/count_tokens"):
                    self.answer_json(200, {"input_tokens": server._count(body.get("system", ""), body["messages"])})
                    return
                server.bodies.append(body)
                server.betas.append(self.headers.get("anthropic-beta"))
                status, answer = server._turn(body)
                server.statuses.append(status)
                if status != 200 or not body.get("stream"):
                    self.answer_json(status, answer)
                    return
                lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in server._events(answer)]
                self.answer(200, "".join(lines).encode(), "text/event-stream")

        return ClaudeHandler


def text_of(content: Any) -> str:
    """The text of a message: a string, or text blocks."""
    return content if isinstance(content, str) else "".join(block["text"] for block in content)
