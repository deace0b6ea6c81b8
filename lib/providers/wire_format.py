"""Turns messages into what an OpenAI-compatible server receives.

Only fields that the protocol knows are sent, as text that UTF-8 can carry. The stored messages keep everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib.messages import Message, utf8_safe

ACCEPTED = ("name", "tool_calls", "tool_call_id", "refusal")
"""Fields beside role and content that the protocol knows. Other stored fields are not sent."""


def wire_message(message: Message) -> dict[str, Any]:
    """A message with only the fields that the protocol knows, safe for UTF-8."""
    known = {name: value for name, value in message.extra.items() if name in ACCEPTED}
    wire_format: dict[str, Any] = utf8_safe_value({"role": message.role, "content": message.content, **known})
    return wire_format


def utf8_safe_value(value: Any) -> Any:
    """A JSON value with lone surrogates replaced in every string, at any depth."""
    if isinstance(value, str):
        return utf8_safe(value)
    if isinstance(value, Mapping):
        return {utf8_safe(str(name)): utf8_safe_value(item) for name, item in value.items()}
    return [utf8_safe_value(item) for item in value] if isinstance(value, list) else value


def response_items(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The same messages as input items of the Responses protocol, which has a counting address.

    Items are in their long form, because some servers accept no other for assistant messages.
    """
    return [item for message in messages for item in _items(wire_message(message))]


def _items(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One message as items; each tool call becomes an item of its own."""
    role, content = message["role"], message["content"]
    if role == "tool":
        output = content if isinstance(content, str) else _parts(content, "input_text")
        return [{"type": "function_call_output", "call_id": message.get("tool_call_id", ""), "output": output}]
    text_type = "output_text" if role == "assistant" else "input_text"
    text = [] if content is None else [{"type": "message", "role": role, "content": _parts(content, text_type)}]
    calls = [
        {"type": "function_call", "call_id": call.get("id", ""), **call.get("function", {})}
        for call in message.get("tool_calls") or []
        if isinstance(call, Mapping)
    ]
    return [*text, *calls]


def _parts(content: Any, text_type: str) -> list[Any]:
    """Content parts under the names of the Responses protocol. Unknown parts are not changed: the server decides."""
    parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    return [_part(part, text_type) if isinstance(part, Mapping) else part for part in parts]


def _part(part: Mapping[str, Any], text_type: str) -> Mapping[str, Any]:
    if part.get("type") == "text":
        return {**part, "type": text_type}
    image = part.get("image_url")
    if part.get("type") == "image_url" and isinstance(image, Mapping):
        return {"type": "input_image", "detail": image.get("detail", "auto"), "image_url": image.get("url")}
    return part
