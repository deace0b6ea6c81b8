"""Anthropic's Messages: one answer, with or without a message thread, and counting.

What for: conversations that are sent whole, and ones that are held. The rule: with a thread or without, the model is sent the
same transcript for the same conversation, so the numbers can be compared. `input_tokens` leaves out what came from the
model's cache, as Anthropic's does. It leaves out tools, pictures, thinking and cache control.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from lib.replica.anthropic.threads import Threads
from lib.replica.http_values import (
    FINGERPRINT,
    Answer,
    Call,
    Events,
    Json,
    Refused,
    Route,
    claude_refuse,
    event,
    new_id,
    parts_text,
)
from lib.replica.model import End, Model, ModelFailed, Usage
from lib.replica.store import Held

NOT_HERE = ("tools", "output_config", "stop_sequences", "thinking", "compaction", "mcp_servers")
"""Fields that would change the answer."""


@dataclass(slots=True, eq=False)
class _Turn:
    """One answer. `messages` is the whole conversation; `previous` the reply it continues, busy until it is released."""

    id: str
    model: str
    system: str
    messages: list[Json]
    limit: int
    options: dict[str, Any]
    threaded: bool
    previous: Held | None

    @property
    def transcript(self) -> list[Json]:
        """What the model is sent."""
        return ([{"role": "system", "content": self.system}] if self.system else []) + self.messages


class Messages:
    """The endpoints below /v1/messages."""

    def __init__(self, threads: Threads, model: Model) -> None:
        self._threads = threads
        self._model = model

    def routes(self) -> list[Route]:
        """Method, path and handler of each."""
        return [("POST", "/v1/messages", self.create), ("POST", "/v1/messages/count_tokens", self.count)]

    async def create(self, call: Call) -> Answer | Events:
        """Answer, streamed or whole."""
        wanted = self._threads.wanted(call)
        turn = self._turn(call.body, wanted)
        release = _release(turn)
        try:
            await self._check_fits(turn)
            if call.body.get("stream"):
                events, mine, release = self._events(turn), release, _nothing
                return Events(events, mine, {"request-id": new_id("req_01", 22)})
            pieces: list[str] = []
            end = End(turn.model)
            async with aclosing(self._model.stream(turn.transcript, turn.limit, turn.options)) as stream:
                async for piece in stream:
                    if isinstance(piece, End):
                        end = piece
                    else:
                        pieces.append(piece)
            message = self._message(turn, "".join(pieces), end)
            self._hold(turn, "".join(pieces))
        finally:
            release()
        return Answer(message, headers={"request-id": new_id("req_01", 22)})

    async def count(self, call: Call) -> Answer:
        """The tokens of a whole conversation, counted by the model's own server."""
        if "thread" in call.body:
            raise claude_refuse("thread: Extra inputs are not permitted")
        turn = self._turn(call.body | {"max_tokens": 1}, None)
        count = await self._model.count(turn.transcript)
        if not count.exact:
            raise claude_refuse("The model behind the replica cannot count.", status=501, kind="api_error")
        return Answer({"input_tokens": count.tokens})

    def _turn(self, body: Json, wanted: Json | None) -> _Turn:
        for name in NOT_HERE:
            if body.get(name):
                raise claude_refuse(f"{name}: not supported by this replica")
        limit, model = body.get("max_tokens"), body.get("model")
        if not isinstance(limit, int) or limit < 1:
            raise claude_refuse("max_tokens: Field required")
        if not isinstance(model, str):
            raise claude_refuse("model: Field required")
        new = _messages(body.get("messages"))
        previous = self._threads.take(wanted, body) if wanted and wanted["type"] == "continue" else None
        return _Turn(
            id=new_id("msg_01", 22),
            model=model,
            system=previous.system if previous else _text(body.get("system") or "", "system"),
            messages=[*(previous.messages if previous else []), *new],
            limit=limit,
            options={name: body[name] for name in ("temperature", "top_p") if body.get(name) is not None},
            threaded=wanted is not None,
            previous=previous,
        )

    async def _check_fits(self, turn: _Turn) -> None:
        """Refuse a prompt that fills the window."""
        count = await self._model.count(turn.transcript)
        if count.tokens >= self._model.window:
            raise claude_refuse(f"prompt is too long: {count.tokens} tokens > {self._model.window} maximum")

    async def _events(self, turn: _Turn) -> AsyncGenerator[bytes, None]:
        """The reply as events. Its usage comes with its end: before that nobody has reported any."""
        begun = self._message(turn, "", None) | {"content": []}
        yield _event("message_start", message=begun)
        yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield _event("ping")
        pieces: list[str] = []
        end = End(turn.model)
        try:
            async with aclosing(self._model.stream(turn.transcript, turn.limit, turn.options)) as stream:
                async for piece in stream:
                    if isinstance(piece, End):
                        end = piece
                    else:
                        pieces.append(piece)
                        yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        except ModelFailed as exc:
            yield _event("error", error={"type": "api_error", "message": exc.message})
            return
        message = self._message(turn, "".join(pieces), end)
        self._hold(turn, "".join(pieces))
        yield _event("content_block_stop", index=0)
        delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
        yield _event("message_delta", delta=delta, usage=message["usage"])
        yield _event("message_stop")

    def _hold(self, turn: _Turn, text: str) -> None:
        if turn.threaded:
            messages = [*turn.messages, {"role": "assistant", "content": text}]
            self._threads.hold(turn.id, messages, turn.system, turn.model, turn.previous)

    def _message(self, turn: _Turn, text: str, end: End | None) -> Json:
        reason = None
        if end is not None:
            long = "model_context_window_exceeded" if end.full else "max_tokens"
            reason = long if end.length else "end_turn"
        return {
            "id": turn.id,
            "type": "message",
            "role": "assistant",
            "model": end.model if end else turn.model,
            "content": [{"type": "text", "text": text}],
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": _usage(end.usage if end is not None else None),
            "system_fingerprint": FINGERPRINT,
        }


def _usage(usage: Usage | None) -> Json:
    """In Anthropic's units: what was read from the cache is not in input_tokens. None where nothing was reported."""
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    if usage is None:
        return dict.fromkeys(names)
    return dict(zip(names, (usage.input - (usage.cached or 0), usage.cached, 0, usage.output), strict=True))


def _messages(given: Any) -> list[Json]:
    if not isinstance(given, list) or not given:
        raise claude_refuse("messages: at least one message is required")
    found = []
    for place, entry in enumerate(given):
        if not isinstance(entry, dict) or entry.get("role") not in ("user", "assistant"):
            raise claude_refuse(f"messages.{place}.role: Input should be 'user' or 'assistant'")
        found.append({"role": entry["role"], "content": _text(entry.get("content"), f"messages.{place}.content")})
    return found


def _text(content: Any, where: str) -> str:
    try:
        return parts_text(content, ("text",), where)
    except Refused as exc:
        message = exc.answer.body["error"]["message"]
        raise claude_refuse(f"{where}: {message}") from exc


def _release(turn: _Turn) -> Callable[[], None]:
    """How to stop using the reply that the turn continues, where the turn came to nothing."""

    def release() -> None:
        if turn.previous is not None:
            turn.previous.busy = False

    return release


def _event(kind: str, **data: Any) -> bytes:
    return event(kind, {"type": kind, **data})


def _nothing() -> None:
    pass
