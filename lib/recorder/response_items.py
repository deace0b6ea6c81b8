"""Turns items of the Responses protocol into messages of the kind that every other part of the app reads.

A reply may be several items: reasoning, a text, tool calls. They become one message with the role assistant; which
items it was made of stays beside it. Items of kinds that no message has are kept in the content, as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.messages import Message

CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
RESULTS = ("function_call_output", "custom_tool_call_output")


def messages_of_items(items: Sequence[Any]) -> list[tuple[Message, list[Any]]] | None:
    """The messages, each with its items. None if something is not an object.

    Example: [reasoning, function_call, function_call, function_call_output] -> an assistant message with two tool
    calls, and a tool message
    """
    found: list[tuple[Message, list[Any]]] = []
    reply: list[Mapping[str, Any]] = []

    def close() -> None:
        if reply:
            found.append((_reply(reply), list(reply)))
            reply.clear()

    for item in items:
        if not isinstance(item, Mapping):
            return None
        kind, role = item.get("type", "message"), item.get("role")
        if kind in RESULTS:
            close()
            result = {"tool_call_id": item.get("call_id")}
            found.append((Message("tool", item.get("output"), result), [item]))
        elif kind == "message" and role != "assistant":
            close()
            extra = {name: item[name] for name in item if name not in ("role", "content", "type", "id", "status")}
            found.append((Message(str(role), item.get("content"), extra), [item]))
        else:
            if kind == "message" and any(each.get("type") != "reasoning" for each in reply):
                close()
            reply.append(item)
    close()
    return found


def _reply(items: Sequence[Mapping[str, Any]]) -> Message:
    """One assistant message of these items."""
    content: list[Any] = []
    calls: list[dict[str, Any]] = []
    for item in items:
        kind = item.get("type", "message")
        if kind in CALLS:
            name, argument = CALLS[kind]
            call = {"name": item.get("name"), argument: item.get(argument)}
            calls.append({"id": item.get("call_id"), "type": name, name: call})
        elif kind == "message":
            said = item.get("content")
            content += said if isinstance(said, list) else [] if said is None else [{"type": "text", "text": said}]
        elif kind != "reasoning":
            content.append(dict(item))
    extra = {"tool_calls": calls} if calls else {}
    return Message("assistant", _simplest(content), extra)


def _simplest(content: list[Any]) -> Any:
    """A single text as a string, no content as null."""
    if not content:
        return None
    if len(content) == 1 and isinstance(content[0], Mapping) and content[0].get("type") in ("text", "output_text"):
        return content[0].get("text")
    return content
