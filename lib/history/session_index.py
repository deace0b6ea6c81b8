"""Keeps the index of sessions, from which the list of sessions is read.

It may list sessions that have expired, so a session is shown only if its keys still exist. Expired sessions are removed
from it when a session is added, never when it is read. The scripts are in sessions/lua_index.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import redis

from lib.errors import ChatError, HistoryUnavailable
from lib.history import SessionSummary, valid_session_id
from lib.history.client import Client, RetryingClient
from lib.history.keys import INDEX, INDEX_KEYS, NAMES, PINNED, keys_of, owned_by, pinned_by
from lib.history.redis_errors import crosses_slots
from lib.history.sessions import lua_index

PAGE = 50
"""How many sessions are looked up in one round trip at most."""
KNOWN_OWNERS = 10_000
"""Sessions whose owner this process remembers."""


class SessionIndex:
    """The index of sessions, whose usual time to live is `ttl_seconds`."""

    def __init__(self, client: RetryingClient, ttl_seconds: int) -> None:
        self._client = client
        self._ttl_ms = ttl_seconds * 1000
        self._in_another_slot = False
        self._owners: dict[str, str] = {}

    def run(self, script: str, session_id: str, *arguments: bytes | str | int, listed: str | None = None) -> bytes:
        """Run a script that writes a session: one round trip. Returns its status.

        With `listed`, which is the title of a session that has none yet or "", it also moves the session to the top.
        In a cluster that takes a second round trip.
        """
        keys, owner = keys_of(session_id), self._owners.get(session_id, "")
        if not self._in_another_slot:
            index = (*INDEX_KEYS, owned_by(owner)) if owner else INDEX_KEYS
            try:
                return self._follow_up(session_id, self._client.run(script, (*keys, *index), self._ttl_ms, *arguments))
            except HistoryUnavailable as exc:
                if not crosses_slots(exc.__cause__):
                    raise
                self._in_another_slot = True
        if listed is not None:  # first, so that a failure here means that nothing was written
            self._follow_up(session_id, [b"ok", owner.encode(), *self.write(lua_index.TOUCH, session_id, owner, listed)])
        return self._follow_up(session_id, self._client.run(script, keys, self._ttl_ms, *arguments))

    def write(self, script: str, session_id: str, owner: str, *arguments: bytes | str | int) -> Any:
        """Run a script of the index alone. `owner` is also its first argument after the session's id."""
        lists = (owned_by(owner), pinned_by(owner)) if owner else ()
        return self._client.run(
            script, (*INDEX_KEYS, PINNED, *lists), self._ttl_ms, session_id, owner, *arguments
        )

    def remember_owner(self, session_id: str, owner: str) -> None:
        """From now on the session's writes also move it to the top of this person's list."""
        if len(self._owners) >= KNOWN_OWNERS:
            self._owners.clear()
        self._owners[session_id] = owner

    def _follow_up(self, session_id: str, answer: Any) -> bytes:
        """The status in a script's answer. Does what the script could not: see LISTED in lua_index.py.

        The session is stored by then, so a store that fails now only leaves that for the next time.
        """
        if not isinstance(answer, list):
            return bytes(answer)
        status, owner, *overdue = answer
        with suppress(ChatError):
            if owner and owner.decode() != self._owners.get(session_id):
                self.write(lua_index.NAME_AGAIN, session_id, owner.decode(), "")
                self.remember_owner(session_id, owner.decode())
            if overdue:
                self._tidy([name.decode(errors="replace") for name in overdue])
        return bytes(status)

    def _tidy(self, session_ids: Sequence[str]) -> None:
        """Take sessions out of the index that no longer exist."""
        valid = [session_id for session_id in session_ids if valid_session_id(session_id)]
        answers = self._client.ask(partial(_look_up, session_ids=valid)) if valid else []
        left = {name: _left(*each) for name, each in zip(valid, zip(answers[::3], answers[1::3]), strict=True)}
        names = self._client.ask(lambda client: client.hmget(NAMES, session_ids))
        owners = [(name or b"").partition(b" ")[0].decode(errors="replace") for name in names]
        lists = [key for owner in owners for key in ((owned_by(owner), pinned_by(owner)) if owner else (PINNED, PINNED))]
        ends = [part for session_id in session_ids for part in (session_id, left.get(session_id, -2))]
        self._client.run(lua_index.TIDY, (*INDEX_KEYS, PINNED, *lists), self._ttl_ms, *ends)

    def newest(self, limit: int) -> list[SessionSummary]:
        """The most recently active sessions that still exist, newest first."""
        found: list[SessionSummary] = []
        size = max(1, min(PAGE, limit))
        for start in itertools.count(0, size):
            page = self._client.ask(partial(_entries, start=start, size=size))
            found += self._summaries([(name.decode(errors="replace"), float(score)) for name, score in page])
            if len(found) >= limit or len(page) < size:
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
            SessionSummary(session_id, (title or b"").decode(errors="replace"), activity, seconds(_left(history, live)))
            for (session_id, activity), history, live, title in rows
            if history != -2 or live != -2  # -2: there is no such key
        ]


def seconds(milliseconds: int) -> float | None:
    """Convert the result of PTTL to seconds. None if the key does not exist or never expires."""
    return None if milliseconds < 0 else milliseconds / 1000


def _left(history: int, live: int) -> int:
    """The PTTL of a session, by those of its messages and its live record."""
    return live if history == -2 else history


def _entries(client: Client, start: int, size: int) -> Any:
    return client.zrange(INDEX, start, start + size - 1, desc=True, withscores=True)


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
