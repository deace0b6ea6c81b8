"""Anthropic's Messages: a reply, streamed or whole, with or without a message thread; and counting.

The model is sent the same transcript for the same conversation with and without a thread, so that their numbers can be
compared. As at Anthropic, `input_tokens` excludes tokens read from the model's cache. Tools, pictures, thinking and
cache control are not supported.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from lib.replica.anthropic.threads import Threads
from lib.replica.errors import Refused, anthropic_error
from lib.replica.http_values import FINGERPRINT, Answer, Call, Events, Json, Route, event, new_id
from lib.replica.model import Model
from lib.replica.reply import ModelFailed, ReplyEnd, ReportedUsage
from lib.replica.request_fields import content_text, sampling_options
from lib.replica.store import MessageThread

UNSUPPORTED = ("tools", "output_config", "stop_sequences", "thinking", "compaction", "mcp_servers")
"""Fields that would change the answer and that the replica does not support."""


@dataclass(slots=True, eq=False)
class _Turn:
    """One reply. `messages` is the whole conversation; `previous` the thread it continues, busy until `release`."""

    id: str
    model: str
    system: str
    messages: list[Json]
    limit: int
    options: dict[str, Any]
    threaded: bool
    previous: MessageThread | None

    @property
    def transcript(self) -> list[Json]:
        """The messages for the model."""
        return ([{"role": "system", "content": self.system}] if self.system else []) + self.messages

    def release(self) -> None:
        """Let the previous thread be continued again, unless it has been."""
        if self.previous is not None:
            self.previous.busy = False


@dataclass(frozen=True, slots=True)
class Messages:
    """The endpoints below /v1/messages."""

    threads: Threads
    model: Model

    def routes(self) -> list[Route]:
        """Method, path and handler of each."""
        return [("POST", "/v1/messages", self.create), ("POST", "/v1/messages/count_tokens", self.count)]

    async def create(self, call: Call) -> Answer | Events:
        """Answer, streamed or whole."""
        turn = self._turn(call.body, self.threads.thread_field(call))
        headers = {"request-id": new_id("req_01", 22)}
        streaming = False
        try:
            await self._check_fits(turn)
            if call.body.get("stream"):
                streaming = True
                return Events(self._events(turn), turn.release, headers)
            async with self.model.reply(turn.transcript, turn.limit, turn.options) as reply:
                async for _ in reply:
                    pass
            self._hold(turn, reply.text)
            return Answer(_message(turn, reply.text, reply.end), headers=headers)
        finally:
            if not streaming:
                turn.release()

    async def count(self, call: Call) -> Answer:
        """Tokens of a whole conversation, counted by the model's own server."""
        if "thread" in call.body:
            raise anthropic_error("thread: Extra inputs are not permitted")
        turn = self._turn(call.body | {"max_tokens": 1}, None)
        count = await self.model.count(turn.transcript)
        if not count.exact:
            raise anthropic_error("The model behind the replica cannot count.", status=501, kind="api_error")
        return Answer({"input_tokens": count.tokens})

    def _turn(self, body: Json, thread_field: Json | None) -> _Turn:
        for name in UNSUPPORTED:
            if body.get(name):
                raise anthropic_error(f"{name}: not supported by this replica")
        limit, model = body.get("max_tokens"), body.get("model")
        if not isinstance(limit, int) or limit < 1:
            raise anthropic_error("max_tokens: Field required")
        if not isinstance(model, str):
            raise anthropic_error("model: Field required")
        new_messages = _messages(body.get("messages"))
        previous = None
        if thread_field is not None and thread_field["type"] == "continue":
            previous = self.threads.occupy(thread_field, body)
        return _Turn(
            id=new_id("msg_01", 22),
            model=model,
            system=previous.system if previous else _text(body.get("system") or "", "system"),
            messages=[*(previous.messages if previous else []), *new_messages],
            limit=limit,
            options=sampling_options(body),
            threaded=thread_field is not None,
            previous=previous,
        )

    async def _check_fits(self, turn: _Turn) -> None:
        """Refuse a prompt that fills the window."""
        count = await self.model.count(turn.transcript)
        if count.tokens >= self.model.window:
            raise anthropic_error(f"prompt is too long: {count.tokens} tokens > {self.model.window} maximum")

    async def _events(self, turn: _Turn) -> AsyncGenerator[bytes, None]:
        """The reply as events. Its usage is unknown until the end, so only the last events carry it."""
        yield _event("message_start", message=_message(turn, "", None) | {"content": []})
        yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield _event("ping")
        try:
            async with self.model.reply(turn.transcript, turn.limit, turn.options) as reply:
                async for piece in reply:
                    yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        except ModelFailed as exc:
            yield _event("error", error={"type": "api_error", "message": exc.message})
            return
        self._hold(turn, reply.text)
        message = _message(turn, reply.text, reply.end)
        yield _event("content_block_stop", index=0)
        delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
        yield _event("message_delta", delta=delta, usage=message["usage"])
        yield _event("message_stop")

    def _hold(self, turn: _Turn, text: str) -> None:
        if turn.threaded:
            messages = [*turn.messages, {"role": "assistant", "content": text}]
            self.threads.hold(turn.id, messages, turn.system, turn.model, turn.previous)


def _message(turn: _Turn, text: str, end: ReplyEnd | None) -> Json:
    """The message object; with `end` None, as it is when the reply begins."""
    return {
        "id": turn.id,
        "type": "message",
        "role": "assistant",
        "model": end.model if end else turn.model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": _stop_reason(end) if end else None,
        "stop_sequence": None,
        "usage": _usage(end.usage if end else None),
        "system_fingerprint": FINGERPRINT,
    }


def _stop_reason(end: ReplyEnd) -> str:
    if not end.cut_off:
        return "end_turn"
    return "model_context_window_exceeded" if end.window_full else "max_tokens"


def _usage(usage: ReportedUsage | None) -> Json:
    """In Anthropic's units: input_tokens excludes tokens read from the cache. None if nothing was reported."""
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    if usage is None:
        return dict.fromkeys(names)
    return dict(zip(names, (usage.input - (usage.cached or 0), usage.cached, 0, usage.output), strict=True))


def _messages(given: Any) -> list[Json]:
    if not isinstance(given, list) or not given:
        raise anthropic_error("messages: at least one message is required")
    messages = []
    for place, entry in enumerate(given):
        if not isinstance(entry, dict) or entry.get("role") not in ("user", "assistant"):
            raise anthropic_error(f"messages.{place}.role: Input should be 'user' or 'assistant'")
        messages.append({"role": entry["role"], "content": _text(entry.get("content"), f"messages.{place}.content")})
    return messages


def _text(content: Any, where: str) -> str:
    try:
        return content_text(content, ("text",), where)
    except Refused as exc:
        message = exc.answer.body["error"]["message"]
        raise anthropic_error(f"{where}: {message}") from exc


def _event(kind: str, **data: Any) -> bytes:
    return event(kind, {"type": kind, **data})
