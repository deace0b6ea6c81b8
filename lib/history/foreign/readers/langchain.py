"""Reads chat histories of langchain-redis (0.2), with its default prefix. They need a server with RedisJSON.

    chat:<session id>:<ULID>   JSON   type, data (content, additional_kwargs, type), session_id, message_id, timestamp

The library does not store the tool calls of a reply unless its model leaves them in `additional_kwargs`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lib import outside_values
from lib.history.foreign.access import Access, Part
from lib.history.foreign.readers import Found, Glance
from lib.history.foreign.readers.langchain_messages import from_stored
from lib.history.foreign.readers.odd_values import json_object
from lib.messages import Message

_KEY = re.compile(rb"(chat:.+):([0-7][0-9A-HJKMNP-TV-Z]{25})", re.DOTALL)
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class LangChainReader:
    """A conversation is the part of the keys before the ULID; each message has a key of its own."""

    format = "langchain"
    is_family = True

    def session_of(self, key: bytes) -> bytes | None:
        found = _KEY.fullmatch(key)
        return found[1] if found else None

    def title(self, session: bytes) -> str:
        return session.removeprefix(b"chat:").decode(errors="replace")

    def glance(self, access: Access, found: Found) -> Glance:
        return Glance(found.count, ulid_seconds(found.first), ulid_seconds(found.last))

    def fetch(self, access: Access, keys: Sequence[bytes]) -> tuple[Part, ...]:
        return access.each(keys, "JSON.GET")

    def messages(self, parts: Sequence[Part]) -> list[Message]:
        found = [json_object(part) for part in parts]
        times = [None if isinstance(each, Message) else outside_values.number(each.get("timestamp")) for each in found]
        if None not in times:  # the library sorts by it; where one has none, the order of the keys is as good
            found = [
                found[place] for place in sorted(range(len(found)), key=lambda place: (times[place] or 0.0, place))
            ]
        return [each if isinstance(each, Message) else _message(each) for each in found]


def _message(stored: Mapping[str, object]) -> Message:
    """The message in a document. What else the document holds is stored to find it again, and is left there."""
    return from_stored({"type": stored.get("type"), "data": stored["data"]} if "data" in stored else dict(stored))


def ulid_seconds(key: bytes) -> float | None:
    """The time in the ULID at the end of a key, in seconds since the epoch."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    milliseconds = 0
    for digit in found[2][:10].decode():
        milliseconds = milliseconds * 32 + _DIGITS.index(digit)
    return outside_values.moment(milliseconds / 1000)
