"""Turns LangChain's messages, as its libraries store them, into messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lib import outside_values
from lib.history.foreign.readers.odd_values import role_of, too_deep, without_empty
from lib.messages import Message

ROLES = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "function",
    "HumanMessageChunk": "user",
    "AIMessageChunk": "assistant",
    "SystemMessageChunk": "system",
    "ToolMessageChunk": "tool",
}
CONSTRUCTORS = {"HumanMessage": "human", "AIMessage": "ai", "SystemMessage": "system", "ToolMessage": "tool"}


def from_stored(value: Any) -> Message:
    """A message in any of the shapes in which LangChain stores it. What is none of them is shown as it is.

    The shapes are {"lc", "id", "kwargs"} (serialized), {"type", "data"} (messages_to_dict), {"type", "content"}, and
    {"role", "content"}.
    """
    if outside_values.is_too_deep(value):
        return too_deep()
    if isinstance(value, Mapping):
        if isinstance(value.get("kwargs"), Mapping):
            return from_data(value["kwargs"].get("type") or _constructor(value.get("id")), value["kwargs"])
        if isinstance(value.get("data"), Mapping):
            return from_data(value.get("type"), value["data"])
        if isinstance(value.get("role"), str):
            return Message.from_dict(value)
        if "content" in value:
            return from_data(value.get("type"), value)
    return Message(role_of(None), [value])


def from_data(kind: Any, data: Mapping[str, Any]) -> Message:
    """The message of this LangChain type with these fields. Fields that have no place elsewhere stay in `extra`."""
    kind = outside_values.word(kind) or outside_values.word(data.get("type")) or ""
    role = role_of(data.get("role") if kind == "chat" else ROLES.get(kind, kind))
    known = ("content", "type", "role", "tool_calls")
    extra = without_empty({name: value for name, value in data.items() if name not in known})
    calls = _calls(data)
    if calls:
        extra["tool_calls"] = calls
    return Message(role, _without_calls(data.get("content"), calls), extra, "content" in data)


def _calls(data: Mapping[str, Any]) -> list[Any]:
    """The calls in the form of OpenAI's protocol. Those that cannot be turned into it stay as they are."""
    calls = data.get("tool_calls")
    if not calls and isinstance(data.get("additional_kwargs"), Mapping):
        calls = data["additional_kwargs"].get("tool_calls")
    return [_call(call) for call in calls] if isinstance(calls, list) else []


def _call(call: Any) -> Any:
    if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
        return call
    arguments = call.get("args")
    function = {"name": call["name"], "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)}
    return {"id": call.get("id"), "type": "function", "function": function}


def _without_calls(content: Any, calls: list[Any]) -> Any:
    """The content without Anthropic's parts for the same calls, which would count twice."""
    ids = [call.get("id") for call in calls if isinstance(call, Mapping)]
    if not ids or not isinstance(content, list):
        return content
    kept = [
        part
        for part in content
        if not (isinstance(part, Mapping) and part.get("type") == "tool_use" and part.get("id") in ids)
    ]
    return kept or ""


def _constructor(path: Any) -> str | None:
    """The type by the name of the class. Example: ["langchain", "schema", "messages", "AIMessage"] -> "ai"."""
    name = path[-1] if isinstance(path, list) and path else None
    return CONSTRUCTORS.get(name, name) if isinstance(name, str) else None
