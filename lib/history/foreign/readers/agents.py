"""Reads sessions of openai-agents' RedisSession (0.24), with its default prefix.

agents:session:<id>            hash    session_id, created_at, updated_at (seconds since the epoch)
agents:session:<id>:messages   list    one JSON item of the Responses protocol each, oldest first
"""

from __future__ import annotations

from collections.abc import Sequence

from lib import outside_values
from lib.history.foreign.access import Access, Part
from lib.history.foreign.readers import Found, Glance
from lib.history.foreign.readers.odd_values import json_object
from lib.history.foreign.readers.responses_items import to_messages
from lib.messages import Message

PREFIX, SUFFIX = b"agents:session:", b":messages"


class AgentsReader:
    """A conversation is one list."""

    format = "openai-agents"
    is_family = False

    def session_of(self, key: bytes) -> bytes | None:
        named = len(key) > len(PREFIX + SUFFIX) and key.startswith(PREFIX) and key.endswith(SUFFIX)
        return key if named else None

    def title(self, session: bytes) -> str:
        return session.removeprefix(PREFIX).removesuffix(SUFFIX).decode(errors="replace")

    def glance(self, access: Access, found: Found) -> Glance:
        access.expect(found.session, "list", self.format)
        created, updated = map(_moment, access.fields(found.session.removesuffix(SUFFIX), "created_at", "updated_at"))
        return Glance(access.length(found.session), created, updated, access.size(found.session))

    def fetch(self, access: Access, keys: Sequence[bytes]) -> tuple[Part, ...]:
        access.expect(keys[0], "list", self.format)
        return tuple(access.items(keys[0]))

    def messages(self, parts: Sequence[Part]) -> list[Message]:
        return to_messages(map(json_object, parts))


def _moment(stored: bytes | None) -> float | None:
    try:
        return None if stored is None else outside_values.moment(float(stored))
    except ValueError:
        return None
