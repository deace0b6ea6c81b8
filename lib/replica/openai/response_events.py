"""Generates one response: its object, and its events in the order OpenAI sends them.

A whole answer runs through the same events as a streamed one. The response is stored, and its conversation unlocked,
before the last event, so that the reader of that event can continue at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from lib.replica.http_values import FINGERPRINT, Clock, Json, event, hex_id
from lib.replica.model import Model
from lib.replica.openai.items import message_item
from lib.replica.reply import ModelFailed, ReplyEnd, ReportedUsage

ECHOED = ("instructions", "max_output_tokens", "previous_response_id", "temperature", "top_p", "user")
"""Request fields that the response repeats."""


@dataclass(slots=True, eq=False)
class PendingResponse:
    """A response being generated. `history` and `new_items` are its items, `transcript` what the model is sent. `save`
    is called with the finished response; `failed` is set if the model fails."""

    body: Json
    history: list[Json]
    new_items: list[Json]
    transcript: list[Json]
    limit: int | None
    options: Mapping[str, Any]
    save: Callable[[PendingResponse], None]
    clock: Clock
    failed: ModelFailed | None = None
    sequence_numbers: count[int] = field(default_factory=count)

    def event(self, kind: str, **data: Any) -> bytes:
        """One event with the next sequence number."""
        return event(kind, {"type": kind, "sequence_number": next(self.sequence_numbers), **data})


def new_response_body(request: Json, conversation: str | None, now: float) -> Json:
    """The object of a response that has just begun."""
    return {
        "id": hex_id("resp"),
        "object": "response",
        "created_at": int(now),
        "completed_at": None,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": request.get("model"),
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
        "service_tier": "default",
        "store": request.get("store") is not False,
        "truncation": request.get("truncation") or "disabled",
        "text": {"format": {"type": "text"}},
        "reasoning": {"effort": None, "summary": None},
        "metadata": request.get("metadata") or {},
        "conversation": {"id": conversation} if conversation else None,
        **{name: request.get(name) for name in ECHOED},
        "system_fingerprint": FINGERPRINT,
    }


async def response_events(pending: PendingResponse, model: Model) -> AsyncGenerator[bytes, None]:
    """Generate the response. The last event is response.completed, response.incomplete or response.failed."""
    yield pending.event("response.created", response=pending.body)
    yield pending.event("response.in_progress", response=pending.body)
    item = message_item("assistant", "", status="in_progress")
    part_fields = {"output_index": 0, "content_index": 0, "item_id": item["id"]}
    yield pending.event("response.output_item.added", output_index=0, item=item | {"content": []})
    yield pending.event("response.content_part.added", **part_fields, part=item["content"][0])
    try:
        async with model.reply(pending.transcript, pending.limit, pending.options) as reply:
            async for piece in reply:
                yield pending.event("response.output_text.delta", **part_fields, delta=piece, logprobs=[])
    except ModelFailed as exc:
        pending.failed = exc
        pending.body |= {"status": "failed", "error": {"code": exc.openai_code, "message": exc.message}}
        yield pending.event("response.failed", response=pending.body)
        return
    _finish(pending, item["id"], reply.text, reply.end)
    output = pending.body["output"][0]
    pending.save(pending)
    yield pending.event("response.output_text.done", **part_fields, text=reply.text, logprobs=[])
    yield pending.event("response.content_part.done", **part_fields, part=output["content"][0])
    yield pending.event("response.output_item.done", output_index=0, item=output)
    yield pending.event(f"response.{pending.body['status']}", response=pending.body)


def _finish(pending: PendingResponse, item_id: str, text: str, end: ReplyEnd) -> None:
    """Write the reply, its end and its usage into the response."""
    status = "incomplete" if end.cut_off else "completed"
    pending.body |= {
        "status": status,
        "model": end.model,
        "output": [message_item("assistant", text, status=status, id_=item_id)],
        "incomplete_details": {"reason": "max_output_tokens"} if end.cut_off else None,
        "completed_at": None if end.cut_off else int(pending.clock()),
        "usage": _usage(end.usage),
    }


def _usage(usage: ReportedUsage | None) -> Json | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input + usage.output,
    }
