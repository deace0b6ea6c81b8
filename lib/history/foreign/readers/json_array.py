"""Reads string keys that hold a JSON array of messages, under the prefixes of WINDOWSEAT_READ_PREFIXES.

<prefix>:<id>   string   messages as {role, content}, as items of the Responses protocol, or as LangChain stores them
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib import outside_values
from lib.errors import CorruptHistory
from lib.history.foreign.access import MOST_MESSAGES, Access, Part, too_large
from lib.history.foreign.readers import Found, Glance
from lib.history.foreign.readers.langchain_messages import from_stored
from lib.history.foreign.readers.odd_values import json_text, too_deep
from lib.history.foreign.readers.responses_items import to_messages
from lib.messages import Message

COUNTED_BYTES = 256 * 1024
"""Longest value whose messages are counted for a list."""


class JsonArrayReader:
    """A conversation is one string key."""

    format = "json"
    is_family = False

    def __init__(self, prefixes: Sequence[str] = ()) -> None:
        self._prefixes = tuple(f"{prefix}:".encode() for prefix in prefixes)

    def session_of(self, key: bytes) -> bytes | None:
        return key if any(key.startswith(prefix) and key != prefix for prefix in self._prefixes) else None

    def title(self, session: bytes) -> str:
        return session.decode(errors="replace")

    def glance(self, access: Access, found: Found) -> Glance:
        access.expect(found.session, "string", "a service that keeps JSON arrays")
        value = access.text(found.session, COUNTED_BYTES)
        return Glance(None if value is None else len(_array([value])), size=access.size(found.session))

    def fetch(self, access: Access, keys: Sequence[bytes]) -> tuple[Part, ...]:
        access.expect(keys[0], "string", "a service that keeps JSON arrays")
        value = access.text(keys[0])
        if value is None:
            raise too_large()
        return (value,)

    def messages(self, parts: Sequence[Part]) -> list[Message]:
        stored = _array(list(parts))
        if len(stored) > MOST_MESSAGES:
            raise too_large()
        return to_messages(map(_item, stored))


def _array(parts: list[Part]) -> list[Any]:
    value = json_text(parts)
    if not isinstance(value, list):
        raw = next((part for part in parts if isinstance(part, bytes)), b"")
        what = f"What is stored here is {outside_values.shown(value)}, and not an array of messages."
        raise CorruptHistory(what, raw=raw, where="byte 0")
    return value


def _item(value: Any) -> Message | Mapping[str, Any]:
    """A message, or an item of the Responses protocol, which may belong together with the next one."""
    if not isinstance(value, Mapping):
        return from_stored(value)
    if outside_values.is_too_deep(value):
        return too_deep()
    is_text = isinstance(value.get("role"), str)
    is_item = value.get("type") == "message" if is_text else isinstance(value.get("type"), str)
    is_langchain = not is_text and any(name in value for name in ("data", "kwargs", "content"))
    return value if is_item and not is_langchain else from_stored(value)
