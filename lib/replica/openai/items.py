"""Items of Responses and Conversations, and the chat messages made of them.

What for: both interfaces take the same input and keep the same items. The rule: an item that is kept has an id and the
shape its endpoint answers with; one that this replica cannot keep whole is refused. It leaves out everything but messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lib.replica.http_values import Json, hex_id, parts_text, refuse
from lib.replica.store import WEIGHT

ROLES = ("user", "assistant", "system", "developer")
TEXT_PARTS = ("input_text", "output_text", "text")


def input_items(given: Any, param: str = "input") -> list[Json]:
    """The items of an input: one user message for a string, else its messages. Refuses what is not text."""
    if isinstance(given, str):
        return [message_item("user", given)]
    if not isinstance(given, list):
        raise refuse(f"Invalid type for '{param}': expected an array.", param=param, code="invalid_type")
    return [_item(entry, f"{param}[{place}]") for place, entry in enumerate(given)]


def message_item(role: str, text: str, *, status: str = "completed", identifier: str | None = None) -> Json:
    """A message as it is kept. An assistant's text is output, everybody else's input."""
    if role == "assistant":
        content: Json = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    else:
        content = {"type": "input_text", "text": text}
    return {"id": identifier or hex_id("msg"), "type": "message", "status": status, "role": role, "content": [content]}


def item_text(item: Json) -> str:
    """The text of a kept item."""
    return "".join(part["text"] for part in item["content"])


def characters(items: Iterable[Json]) -> int:
    """How much items weigh."""
    return sum(len(item_text(item)) + WEIGHT for item in items)


def chat_messages(items: Sequence[Json], instructions: str | None) -> list[Json]:
    """The transcript for the model: instructions first. It knows no developer, only a system."""
    first = [{"role": "system", "content": instructions}] if instructions else []
    roles = {"developer": "system"}
    return first + [{"role": roles.get(item["role"], item["role"]), "content": item_text(item)} for item in items]


def _item(entry: Any, where: str) -> Json:
    kind = entry.get("type", "message") if isinstance(entry, dict) else None
    if kind != "message":
        raise refuse(f"Invalid value: '{kind}'. This replica keeps messages only.", param=where, code="invalid_value")
    role = entry.get("role")
    if role not in ROLES:
        supported = ", ".join(f"'{name}'" for name in ROLES)
        raise refuse(
            f"Invalid value: '{role}'. Supported values are: {supported}.", param=f"{where}.role", code="invalid_value"
        )
    return message_item(role, parts_text(entry.get("content"), TEXT_PARTS, f"{where}.content"))
