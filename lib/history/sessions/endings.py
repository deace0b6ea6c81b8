"""Remembers for a month what became of sessions that are gone.

Deleted sessions, and deadlines that a person set, are noted in the hash `chats:gone`. Of all others the index of
sessions still knows the last activity: a session whose usual time is up has expired, any other was lost.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

from lib.history import serialization
from lib.history.client import Client, RetryingClient
from lib.history.sessions import Gone

GONE = "chats:gone"
KEPT_SECONDS = 30 * 86_400
MOST = 10_000
"""Sessions whose end is remembered."""
REMOVED = 500
"""Sessions that are forgotten at once when there are more."""


class Endings:
    """The ends of sessions in a Redis store."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    def note(self, gone: Gone) -> None:
        """Remember this end, also one that is still to come."""
        record = serialization.to_json(asdict(gone) | {"noted": time.time()})

        def write(client: Client) -> None:
            client.hset(GONE, gone.session_id, record)
            client.expire(GONE, KEPT_SECONDS)
            if client.hlen(GONE) > MOST:
                client.hdel(GONE, *client.hrandfield(GONE, REMOVED))

        self._client.ask(write)

    def forget(self, session_id: str) -> None:
        """The session is there again."""
        self._client.ask(lambda client: client.hdel(GONE, session_id))

    def of(self, session_id: str, activity: float | None, ttl_seconds: float) -> Gone | None:
        """What became of a session that does not exist. `activity` is when it was last written, None if unknown."""
        noted = _parsed(self._client.ask(lambda client: client.hget(GONE, session_id)))
        now = time.time()
        if noted and (activity is None or activity <= noted["noted"]):
            return Gone(session_id, noted["ending"], min(now, noted["at"]), *_words(noted))
        if activity is None:
            return None
        due = activity + ttl_seconds
        return Gone(session_id, "expired" if due <= now + 1 else "lost", min(due, now))


def _words(noted: dict[str, Any]) -> tuple[str, str]:
    """Title and owner."""
    return str(noted.get("title", "")), str(noted.get("owner", ""))


def _parsed(value: bytes | None) -> dict[str, Any]:
    """A stored note; an empty one if it cannot be used."""
    try:
        held = json.loads(value or b"{}")
        usable = held["ending"] in ("expired", "deleted", "lost") and held["noted"] + held["at"] > 0
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    return held if usable else {}
