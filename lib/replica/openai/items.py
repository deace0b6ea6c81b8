"""Items of Responses and Conversations, which take the same input, and the chat messages made of them.

A stored item has an id and the shape its endpoint returns. Only messages are supported; any other item is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lib.replica.errors import invalid_type, openai_error
from lib.replica.http_values import Json, hex_id
from lib.replica.request_fields import content_text
from lib.replica.store import OVERHEAD

ROLES = ("user", "assistant", "system", "developer")
TEXT_PARTS = ("input_text", "output_text", "text")


def input_items(given: Any, param: str = "input") -> list[Json]:
    """The items of an input: a string is one user message. Refuses what is not text."""
    if isinstance(given, str):
        return [message_item("user", given)]
    if not isinstance(given, list):
        raise invalid_type(param, "an array")
    return [_item(entry, f"{param}[{place}]") for place, entry in enumerate(given)]


def message_item(role: str, text: str, *, status: str = "completed", id_: str | None = None) -> Json:
    """A message as it is stored. An assistant's text is output, any other text is input."""
    if role == "assistant":
        content: Json = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    else:
        content = {"type": "input_text", "text": text}
    return {"id": id_ or hex_id("msg"), "type": "message", "status": status, "role": role, "content": [content]}


def item_text(item: Json) -> str:
    """The text of a stored item."""
    return "".join(part["text"] for part in item["content"])


def size_of(items: Iterable[Json]) -> int:
    """The size of items in the store, in characters."""
    return sum(len(item_text(item)) + OVERHEAD for item in items)


def chat_messages(items: Sequence[Json], instructions: str | None) -> list[Json]:
    """The transcript for the model, instructions first. The model has no developer role, so that becomes system."""
    system = [{"role": "system", "content": instructions}] if instructions else []
    roles = {"developer": "system"}
    return system + [{"role": roles.get(item["role"], item["role"]), "content": item_text(item)} for item in items]


def _item(entry: Any, where: str) -> Json:
    kind = entry.get("type", "message") if isinstance(entry, dict) else None
    if kind != "message":
        message = f"Invalid value: '{kind}'. This replica keeps messages only."
        raise openai_error(message, param=where, code="invalid_value")
    role = entry.get("role")
    if role not in ROLES:
        supported = ", ".join(f"'{name}'" for name in ROLES)
        message = f"Invalid value: '{role}'. Supported values are: {supported}."
        raise openai_error(message, param=f"{where}.role", code="invalid_value")
    return message_item(role, content_text(entry.get("content"), TEXT_PARTS, f"{where}.content"))
