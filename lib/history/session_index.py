"""The sorted set of sessions by last activity, from which the list of sessions is drawn.

The rule: it is an index and never the truth. It lives in another cluster slot than the sessions, so it is written beside
their scripts; what it lists is shown only if it still exists. It heals when it is written, never when it is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

from lib.history import SessionSummary, lua, valid_session_id
from lib.history.client import Client, RetryingClient
from lib.history.keys import INDEX, keys_of

PAGE = 50
"""Sessions looked up at a time."""


class SessionIndex:
    """The index, asked over this link. Entries of sessions that were not written for `ttl_seconds` are dropped."""

    def __init__(self, link: RetryingClient, ttl_seconds: int) -> None:
        self._link = link
        self._ttl = ttl_seconds

    def touch(self, session_id: str) -> None:
        """Move the session to the top, and drop what must have expired."""
        keys_of(session_id)  # refuses an id that cannot be one
        self._link.run(lua.TOUCH, (INDEX,), self._ttl * 1000, session_id)

    def remove(self, session_id: str) -> None:
        """Drop one session."""
        self._link.ask(lambda client: client.zrem(INDEX, session_id))

    def newest(self, limit: int) -> list[SessionSummary]:
        """The sessions with the latest activity that still exist, newest first."""
        found: list[SessionSummary] = []
        for start in itertools.count(0, PAGE):
            page = self._link.ask(partial(_entries, start=start))
            found += self._summaries([(name.decode(errors="replace"), float(score)) for name, score in page])
            if len(found) >= limit or len(page) < PAGE:
                break
        return found[:limit]

    def _summaries(self, entries: Sequence[tuple[str, float]]) -> list[SessionSummary]:
        """Those that still exist: with messages, or with a prompt that waits."""
        entries = [entry for entry in entries if valid_session_id(entry[0])]
        told = self._link.ask(partial(_look, session_ids=[session_id for session_id, _ in entries])) if entries else []
        rows = zip(entries, told[::3], told[1::3], told[2::3], strict=True)
        return [
            SessionSummary(session_id, (title or b"").decode(errors="replace"), activity, seconds(max(history, live)))
            for (session_id, activity), history, live, title in rows
            if history != -2 or live != -2  # -2: there is no such key
        ]


def seconds(milliseconds: int) -> float | None:
    """What Redis says is left of a key; None where there is no key or no limit."""
    return None if milliseconds < 0 else milliseconds / 1000


def _entries(client: Client, start: int) -> Any:
    return client.zrange(INDEX, start, start + PAGE - 1, desc=True, withscores=True)


def _look(client: Client, session_ids: Sequence[str]) -> Any:
    """Per session: what is left of the messages and of the live record in ms, and the title (None where unreadable)."""
    pipe = client.pipeline(transaction=False)
    for session_id in session_ids:
        keys = keys_of(session_id)
        pipe.pttl(keys.history)
        pipe.pttl(keys.live)
        pipe.hget(keys.about, "title")
    return [None if isinstance(told, Exception) else told for told in pipe.execute(raise_on_error=False)]
