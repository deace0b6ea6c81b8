"""Turns items of OpenAI's Responses protocol, as openai-agents stores them, into messages.

A text becomes a message, calls that follow each other become one message with `tool_calls`, and a result becomes a
message of the role `tool`. Any other item (reasoning, a web search) keeps its type as its role, and itself as content.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from lib import outside_values
from lib.history.foreign.readers.odd_values import role_of, without_empty
from lib.messages import Message

TEXT_PARTS = ("input_text", "output_text", "text")
OUTPUT_FIELDS = ("type", "call_id", "output", "role", "content")
"""Fields of a result that have their place in a message, or whose place is taken."""


def to_messages(items: Iterable[Mapping[str, Any] | Message]) -> list[Message]:
    """The messages of these items. One that is a message already stays as it is."""
    messages: list[Message] = []
    calls_are_open = False  # whether the last message holds calls that the next item may add to
    for item in items:
        if isinstance(item, Message):
            messages.append(item)
        elif item.get("type") == "function_call" and calls_are_open:
            messages[-1] = _with_call(messages[-1], item)
        elif item.get("type") == "function_call":
            messages.append(_with_call(Message("assistant", None, {}), item))
        else:
            messages.append(_message(item))
        calls_are_open = isinstance(item, Mapping) and item.get("type") == "function_call"
    return messages


def _message(item: Mapping[str, Any]) -> Message:
    kind = item.get("type")
    if kind in (None, "message") and isinstance(item.get("role"), str):
        rest = {name: value for name, value in item.items() if name not in ("role", "content", "type")}
        return Message(role_of(item["role"]), _content(item.get("content")), rest, "content" in item)
    if kind == "function_call_output":
        rest = {name: value for name, value in item.items() if name not in OUTPUT_FIELDS}
        return Message("tool", _content(item.get("output")), {"tool_call_id": item.get("call_id"), **rest})
    return Message(role_of(kind), [dict(item)])


def _with_call(message: Message, item: Mapping[str, Any]) -> Message:
    """The message with one more call. What the protocol of chats has no place for stays in `items`."""
    arguments = item.get("arguments", "")
    call = {
        "id": item.get("call_id"),
        "type": "function",
        "function": {
            "name": item.get("name"),
            "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
        },
    }
    known = ("type", "call_id", "name", "arguments")
    rest = without_empty({name: value for name, value in item.items() if name not in known})
    calls = [*message.extra.get("tool_calls", []), call]
    items = [*message.extra.get("items", []), *([rest] if rest else [])]
    return Message("assistant", None, {"tool_calls": calls} | ({"items": items} if items else {}))


def _content(content: Any) -> Any:
    """Content with the part names of the protocol of chats; a text alone as a string."""
    if not isinstance(content, list):
        return content
    parts = [_part(part) if isinstance(part, Mapping) else part for part in content]
    alone = len(parts) == 1 and isinstance(parts[0], Mapping) and set(parts[0]) == {"type", "text"}
    return parts[0]["text"] if alone and isinstance(parts[0]["text"], str) else parts


def _part(part: Mapping[str, Any]) -> Mapping[str, Any]:
    if part.get("type") in TEXT_PARTS and outside_values.text(part.get("text")) is not None:
        rest = {name: value for name, value in part.items() if name not in ("type", "text")}
        return {"type": "text", "text": part["text"], **without_empty(rest)}
    url = outside_values.text(part.get("image_url"))
    if part.get("type") == "input_image" and url is not None:
        return {"type": "image_url", "image_url": {"url": url, "detail": part.get("detail") or "auto"}}
    return part
