"""Tells whether two messages say the same, however an app wrote them.

An app sends back a reply in its own words of JSON: with null fields, in another order, as a list of one text, with
marks for the cache. None of that changes what the model reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from lib.messages import Message

UNIMPORTANT = ("cache_control", "citations", "annotations", "logprobs", "status", "caller", "index", "detail")
"""Fields of a content part that do not change what it says."""


def key_of(message: Message) -> bytes:
    """16 bytes that are equal for messages that say the same.

    Example: equal for content "Hi", " Hi\\n" and [{"type": "text", "text": "Hi", "cache_control": {...}}]
    """
    role = "system" if message.role == "developer" else message.role
    said = [role, _content(message.content), _calls(message.extra), message.extra.get("tool_call_id")]
    text = json.dumps(said, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _content(content: Any) -> Any:
    if content is None or isinstance(content, str):
        return (content or "").strip()
    if not isinstance(content, list):
        return content
    parts = [part for part in map(_part, content) if part not in ("", None)]
    return "\n".join(parts).strip() if all(isinstance(part, str) for part in parts) else parts


def _part(part: Any) -> Any:
    """A text as a string, anything else as an object without what does not matter."""
    if not isinstance(part, Mapping):
        return part
    if part.get("type") in ("text", "input_text", "output_text") and isinstance(part.get("text"), str):
        return part["text"]
    kept = {name: value for name, value in part.items() if name not in UNIMPORTANT and value not in (None, [], "")}
    if "content" in kept:
        kept["content"] = _content(kept["content"])
    return kept


def _calls(extra: Mapping[str, Any]) -> list[Any]:
    """The tool calls of an OpenAI message: id, name and arguments of each."""
    calls = extra.get("tool_calls")
    found: list[Any] = []
    for call in calls if isinstance(calls, list) else ():
        inner = call.get("function", call.get("custom")) if isinstance(call, Mapping) else None
        inner = inner if isinstance(inner, Mapping) else {}
        arguments = inner.get("arguments", inner.get("input"))
        found.append([call.get("id") if isinstance(call, Mapping) else None, inner.get("name"), arguments])
    if isinstance(extra.get("function_call"), Mapping):
        found.append([None, extra["function_call"].get("name"), extra["function_call"].get("arguments")])
    return found
