"""Messages as they go out to an OpenAI-compatible server.

The rule: only what the protocol knows is sent, in text that UTF-8 can carry; the stored message keeps everything.
Pure: what wraps the messages into a request is the adapter's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib.messages import Message, utf8_safe

ACCEPTED = ("name", "tool_calls", "tool_call_id", "refusal")
"""Fields beside role and content that the protocol knows; others in the stored message stay here."""


def wire_message(message: Message) -> dict[str, Any]:
    """A message with only what the protocol knows, in text that UTF-8 can carry."""
    known = {name: value for name, value in message.extra.items() if name in ACCEPTED}
    wired: dict[str, Any] = utf8_safe_value({"role": message.role, "content": message.content, **known})
    return wired


def utf8_safe_value(value: Any) -> Any:
    """Lone surrogates replaced in every string, however deep."""
    if isinstance(value, str):
        return utf8_safe(value)
    if isinstance(value, Mapping):
        return {utf8_safe(str(name)): utf8_safe_value(item) for name, item in value.items()}
    return [utf8_safe_value(item) for item in value] if isinstance(value, list) else value


def response_items(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The same messages in the words of the Responses protocol, which is the one that has a counting address.

    The long form of an item: some servers know no other for what an assistant said.
    """
    return [item for message in messages for item in _items(wire_message(message))]


def _items(wired: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One message; what an assistant called becomes items of its own."""
    role, content = wired["role"], wired["content"]
    if role == "tool":
        output = content if isinstance(content, str) else _parts(content, "input_text")
        return [{"type": "function_call_output", "call_id": wired.get("tool_call_id", ""), "output": output}]
    kind = "output_text" if role == "assistant" else "input_text"
    said = [] if content is None else [{"type": "message", "role": role, "content": _parts(content, kind)}]
    called = [
        {"type": "function_call", "call_id": call.get("id", ""), **call.get("function", {})}
        for call in wired.get("tool_calls") or []
        if isinstance(call, Mapping)
    ]
    return [*said, *called]


def _parts(content: Any, kind: str) -> list[Any]:
    """Content parts under the names of that protocol; what is not known is left as it is, for the server to judge."""
    parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    return [_part(part, kind) if isinstance(part, Mapping) else part for part in parts]


def _part(part: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    if part.get("type") == "text":
        return {**part, "type": kind}
    image = part.get("image_url")
    if part.get("type") == "image_url" and isinstance(image, Mapping):
        address = image.get("url")
        return {"type": "input_image", "detail": image.get("detail", "auto"), "image_url": address}
    return part
