"""Lists the ids of sessions with their last activity, newest first: all of them, or one person's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from lib.history import valid_session_id
from lib.history.client import RetryingClient
from lib.history.keys import INDEX, owned_by
from lib.history.sessions import SessionQuery

BATCH = 100
"""Sessions that are looked up in one round trip."""

Entry = tuple[str, float]
Place = tuple[float, str]
"""A last activity and an id. A list goes on after it."""


class Entries:
    """The entries of a Redis store's index."""

    def __init__(self, client: RetryingClient, ttl_seconds: int) -> None:
        self._client = client
        self._ttl_seconds = ttl_seconds

    def batches(self, query: SessionQuery, after: Place) -> Iterator[list[Entry]]:
        """The sessions that may match, after this place, in batches."""
        return self._newest(after) if query.owner is None else self._owned(query.owner, after)

    def total(self, query: SessionQuery) -> int:
        """How many there are, all batches together. Some of them may have expired."""
        if query.owner is not None:
            owner = query.owner
            return int(self._ask(lambda client: client.scard(owned_by(owner))))
        since = time.time() - self._ttl_seconds
        return int(self._ask(lambda client: client.zcount(INDEX, since, "+inf")))

    def members(self, key: str) -> list[str]:
        """The session ids in a set."""
        names = [name.decode(errors="replace") for name in self._ask(lambda client: client.smembers(key))]
        return [name for name in names if valid_session_id(name)]

    def of(self, session_ids: Sequence[str]) -> list[Entry]:
        """Each session with its last activity, 0 if the index does not know it."""
        if not session_ids:
            return []
        scores = self._ask(lambda client: client.zmscore(INDEX, list(session_ids)))
        return [(each, float(score or 0.0)) for each, score in zip(session_ids, scores, strict=True)]

    def _newest(self, after: tuple[float, str]) -> Iterator[list[Entry]]:
        """The sessions of the index after this place, newest first, in batches."""
        while True:
            page = self._ask(
                lambda client, top=after[0]: client.zrevrangebyscore(
                    INDEX, top if top < float("inf") else "+inf", "-inf", 0, BATCH, withscores=True
                )
            )
            entries = [(name.decode(errors="replace"), float(score)) for name, score in page]
            fresh = [(name, score) for name, score in entries if (score, name) < after]
            if fresh:
                yield [entry for entry in fresh if valid_session_id(entry[0])]
                after = (fresh[-1][1], fresh[-1][0])
            if len(entries) < BATCH or not fresh:
                return

    def _owned(self, owner: str, after: tuple[float, str]) -> Iterator[list[Entry]]:
        """One person's sessions after this place, newest first, in batches."""
        entries = self.of(self.members(owned_by(owner)))
        entries = sorted(
            ((name, score) for name, score in entries if (score, name) < after),
            key=lambda entry: (entry[1], entry[0]),
            reverse=True,
        )
        yield from split(entries)

    def _ask(self, operation: Any) -> Any:
        return self._client.ask(operation)


def split(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Batches of these entries."""
    for start in range(0, len(entries), BATCH):
        yield list(entries[start : start + BATCH])
