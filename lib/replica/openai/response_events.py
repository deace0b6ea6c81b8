"""One response being made: its object, and its events in the order OpenAI sends them.

What for: a streamed answer and a whole one are the same run of events. The rule: what is to be kept is kept, and the
conversation is free again, before the last event goes out, so that whoever reads it can go on at once. It leaves out where
things are kept: `keep` is called with the finished response.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from lib.replica.http_values import FINGERPRINT, Json, event, hex_id
from lib.replica.model import End, Model, ModelFailed, Usage
from lib.replica.openai.items import message_item

ECHOED = ("instructions", "max_output_tokens", "previous_response_id", "temperature", "top_p", "user")


@dataclass(slots=True, eq=False)
class Making:
    """A response that is being made. `before` and `own` are its items, `transcript` is what the model is sent."""

    body: Json
    before: list[Json]
    own: list[Json]
    transcript: list[Json]
    limit: int | None
    options: Mapping[str, Any]
    keep: Callable[[Making], None]
    clock: Callable[[], float]
    failed: ModelFailed | None = None
    numbers: count[int] = field(default_factory=count)

    def say(self, kind: str, **data: Any) -> bytes:
        """One event with its number."""
        return event(kind, {"type": kind, "sequence_number": next(self.numbers), **data})


def blank(request: Json, conversation: str | None, now: float) -> Json:
    """A response that has just begun."""
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


async def response_events(making: Making, model: Model) -> AsyncGenerator[bytes, None]:
    """Make it. The last event is response.completed, response.incomplete or response.failed."""
    yield making.say("response.created", response=making.body)
    yield making.say("response.in_progress", response=making.body)
    item = message_item("assistant", "", status="in_progress")
    at = {"output_index": 0, "content_index": 0, "item_id": item["id"]}
    yield making.say("response.output_item.added", output_index=0, item=item | {"content": []})
    yield making.say("response.content_part.added", **at, part=item["content"][0])
    pieces: list[str] = []
    end = End("")
    try:
        async with aclosing(model.stream(making.transcript, making.limit, making.options)) as stream:
            async for piece in stream:
                if isinstance(piece, End):
                    end = piece
                else:
                    pieces.append(piece)
                    yield making.say("response.output_text.delta", **at, delta=piece, logprobs=[])
    except ModelFailed as exc:
        making.failed = exc
        code = "rate_limit_exceeded" if exc.status == 429 else "server_error"
        making.body |= {"status": "failed", "error": {"code": code, "message": exc.message}}
        yield making.say("response.failed", response=making.body)
        return
    text = "".join(pieces)
    finish(making, item["id"], text, end)
    done = making.body["output"][0]
    making.keep(making)
    yield making.say("response.output_text.done", **at, text=text, logprobs=[])
    yield making.say("response.content_part.done", **at, part=done["content"][0])
    yield making.say("response.output_item.done", output_index=0, item=done)
    yield making.say(f"response.{making.body['status']}", response=making.body)


def finish(making: Making, item: str, text: str, end: End) -> None:
    """Write the reply, its end and its usage into the response."""
    status = "incomplete" if end.length else "completed"
    making.body |= {
        "status": status,
        "model": end.model,
        "output": [message_item("assistant", text, status=status, identifier=item)],
        "incomplete_details": {"reason": "max_output_tokens"} if end.length else None,
        "completed_at": None if end.length else int(making.clock()),
        "usage": _usage(end.usage),
    }


def _usage(usage: Usage | None) -> Json | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input + usage.output,
    }
