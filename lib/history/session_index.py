"""Keeps the sorted set of sessions by last activity, from which the list of sessions is read.

The set may list sessions that have expired, so a session is shown only if its keys still exist. Expired sessions are
removed from the set when a session is added, never when it is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

import redis

from lib.errors import HistoryUnavailable
from lib.history import SessionSummary, lua, valid_session_id
from lib.history.client import Client, RetryingClient
from lib.history.keys import INDEX, keys_of
from lib.history.redis_errors import crosses_slots

PAGE = 50
"""How many sessions are looked up in one round trip."""


class SessionIndex:
    """The index of sessions. Sessions that were not written for `ttl_seconds` are removed from it."""

    def __init__(self, client: RetryingClient, ttl_seconds: int) -> None:
        self._client = client
        self._ttl_ms = ttl_seconds * 1000
        self._in_another_slot = False

    def run(self, script: str, session_id: str, *arguments: bytes | str | int) -> Any:
        """Run a script that writes a session, and move the session to the top: one round trip, two in a cluster."""
        keys = keys_of(session_id)
        if not self._in_another_slot:
            try:
                return self._client.run(script, (*keys, INDEX), self._ttl_ms, *arguments)
            except HistoryUnavailable as exc:
                if not crosses_slots(exc.__cause__):
                    raise
                self._in_another_slot = True
        self._client.run(
            lua.TOUCH, (INDEX,), self._ttl_ms, session_id
        )  # first, so that a failure here means that nothing was written
        return self._client.run(script, keys, self._ttl_ms, *arguments)

    def remove(self, session_id: str) -> bool:
        """Remove one session; whether it was there."""
        return bool(self._client.ask(lambda client: client.zrem(INDEX, session_id)))

    def newest(self, limit: int) -> list[SessionSummary]:
        """The most recently active sessions that still exist, newest first."""
        found: list[SessionSummary] = []
        for start in itertools.count(0, PAGE):
            page = self._client.ask(partial(_entries, start=start))
            found += self._summaries([(name.decode(errors="replace"), float(score)) for name, score in page])
            if len(found) >= limit or len(page) < PAGE:
                break
        return found[:limit]

    def _summaries(self, entries: Sequence[tuple[str, float]]) -> list[SessionSummary]:
        """Keep the sessions that still have messages or a live turn."""
        entries = [entry for entry in entries if valid_session_id(entry[0])]
        if not entries:
            return []
        answers = self._client.ask(partial(_look_up, session_ids=[session_id for session_id, _ in entries]))
        rows = zip(entries, answers[::3], answers[1::3], answers[2::3], strict=True)
        return [
            SessionSummary(session_id, (title or b"").decode(errors="replace"), activity, seconds(max(history, live)))
            for (session_id, activity), history, live, title in rows
            if history != -2 or live != -2  # -2: there is no such key
        ]


def seconds(milliseconds: int) -> float | None:
    """Convert the result of PTTL to seconds. None if the key does not exist or never expires."""
    return None if milliseconds < 0 else milliseconds / 1000


def _entries(client: Client, start: int) -> Any:
    return client.zrange(INDEX, start, start + PAGE - 1, desc=True, withscores=True)


def _look_up(client: Client, session_ids: Sequence[str]) -> Any:
    """For each session: PTTL of the messages, PTTL of the live record, and the title (None if unreadable).

    Raises redis-py's error where a server has not answered, e.g. while a node of a cluster is replaced.
    """
    pipe = client.pipeline(transaction=False)
    for session_id in session_ids:
        keys = keys_of(session_id)
        pipe.pttl(keys.history)
        pipe.pttl(keys.live)
        pipe.hget(keys.about, "title")
    answers = pipe.execute(raise_on_error=False)
    for place, answer in enumerate(answers):
        is_title = place % 3 == 2
        if is_title and "WRONGTYPE" in str(answer) and isinstance(answer, Exception):
            answers[place] = None
        elif isinstance(answer, Exception):
            raise answer
        elif answer is None and not is_title:
            raise redis.ConnectionError("no answer")
    if len(answers) < 3 * len(session_ids):
        raise redis.ConnectionError("too few answers")
    return answers
