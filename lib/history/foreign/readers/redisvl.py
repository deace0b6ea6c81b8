"""Reads message histories of RedisVL (0.28): MessageHistory and SemanticMessageHistory.

    <name>:<session tag>:<seconds>:<8 hex digits>   hash   role, content, session_tag, timestamp, entry_id, and perhaps
                                                           tool_call_id, metadata (JSON) and vector_field (binary)

Older versions end the key with the seconds. The name is chosen by whoever writes, so these keys are known by their end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lib import outside_values
from lib.errors import CorruptHistory
from lib.history.foreign.access import Access, Part, Wrong
from lib.history.foreign.readers import Found, Glance
from lib.history.foreign.readers.odd_values import parsed, role_of, unreadable
from lib.messages import Message

ROLES = {"llm": "assistant"}
"""Roles of older versions."""
VECTOR = b"vector_field"
"""Binary numbers that stand for the text in a search. They are no part of the message."""
_KEY = re.compile(rb"([^:]+:.+):(\d{9,11}\.\d{1,9})(?::[0-9a-f]{8})?", re.DOTALL)


class RedisVLReader:
    """A conversation is the part of the keys before the time; each message has a key of its own."""

    format = "redisvl"
    is_family = True

    def session_of(self, key: bytes) -> bytes | None:
        found = _KEY.fullmatch(key)
        return found[1] if found else None

    def title(self, session: bytes) -> str:
        return session.decode(errors="replace")

    def glance(self, access: Access, found: Found) -> Glance:
        role, content, tag = access.fields(found.last, "role", "content", "session_tag")
        if None in (role, content, tag):
            raise CorruptHistory("The keys look like RedisVL's, but hold no messages.", where="hash fields")
        return Glance(found.count, _seconds(found.first), _seconds(found.last))

    def fetch(self, access: Access, keys: Sequence[bytes]) -> tuple[Part, ...]:
        return tuple(_without_vector(part) for part in access.each(keys, "HGETALL"))

    def messages(self, parts: Sequence[Part]) -> list[Message]:
        return [_message(part) for part in parts]


def _without_vector(part: Part) -> Part:
    return {name: value for name, value in part.items() if name != VECTOR} if isinstance(part, Mapping) else part


def _message(part: Part) -> Message:
    if not isinstance(part, Mapping):
        why = part.what if isinstance(part, Wrong) else "it is a text"
        return unreadable(f"A stored piece is no hash: {why}.")
    stored = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in part.items()}
    role = role_of(stored.pop("role", None))
    content = stored.pop("content", None)
    extra: dict[str, Any] = dict(stored)
    if "metadata" in stored:
        extra["metadata"] = _metadata(part[b"metadata"], stored["metadata"])
    return Message(ROLES.get(role, role), content, extra, content is not None)


def _metadata(raw: bytes, text: str) -> Any:
    """The metadata as the value that it was serialized from, or else as text."""
    try:
        value = parsed(raw)
    except ValueError:
        return text
    return text if outside_values.is_too_deep(value) else value


def _seconds(key: bytes) -> float | None:
    found = _KEY.fullmatch(key)
    return outside_values.moment(float(found[2])) if found else None
