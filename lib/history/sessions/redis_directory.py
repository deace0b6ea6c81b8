"""Lists, names, pins and deletes the sessions of a Redis store."""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from lib.errors import ChatError, CorruptHistory
from lib.history import serialization, valid_session_id
from lib.history.client import Client, RetryingClient
from lib.history.keys import INDEX, forks_of, keys_of, owned_by
from lib.history.lua import KEPT_IN_INDEX_MS
from lib.history.session_index import SessionIndex
from lib.history.sessions import (
    Gone,
    Parent,
    SessionPage,
    SessionQuery,
    SessionRow,
    Share,
    endings,
    lua_sessions,
    matching,
    redis_rows,
    sums,
)
from lib.history.sessions.cursors import make_cursor, read_cursor
from lib.history.sessions.redis_entries import Entries, Entry, split
from lib.history.spending import SpendingBook
from lib.history.spending.redis import RedisBook
from lib.history.votes import VoteBook
from lib.history.votes.redis import RedisVotes
from lib.turns import Turn

PINNED = "chats:pinned"
BIN_MS = 60_000
"""How long a deleted session can be brought back, in milliseconds."""
LOOKED_AT_MOST = 2_000
"""Sessions that one search looks at."""
READ_AT_MOST = 32 * 1_048_576
"""Bytes of messages that one search reads."""
COUNTED_AT_MOST = 262_144
"""Bytes of messages that are read to count them, for a session that has no sums."""
TURNS_READ = 200
"""Newest turns that are read for such a session."""


class RedisDirectory(ABC):
    """The SessionDirectory of RedisHistory, which inherits from it."""

    def __init__(self, client: RetryingClient, index: SessionIndex, ttl_seconds: int) -> None:
        self._client = client
        self._index = index
        self._ttl_seconds = ttl_seconds
        self._ttl_ms = ttl_seconds * 1000
        self._entries = Entries(client, ttl_seconds)
        self._endings = endings.Endings(client)
        self.spending: SpendingBook = RedisBook(client)
        self.votes: VoteBook = RedisVotes(client)

    def find(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> SessionPage:
        after, needle = read_cursor(cursor), matching.needle_of(query)
        rows: list[SessionRow] = []
        looked, read, last = 0, 0, None
        total = self._entries.total(query)
        for batch in self._entries.batches(query, after):
            found = self._look_up(batch)
            now = self._now(found)
            texts = self._texts(found, needle)
            read += sum(map(len, texts))
            for each, text in zip(found, texts, strict=True):
                looked, last = looked + 1, each
                row = redis_rows.row_of(each, now, redis_rows.stored_sums(each))
                if matching.matches(row, query, now) and _holds(row, text, needle):
                    rows.append(row)
                if len(rows) == limit:
                    return SessionPage(self._complete(rows), make_cursor(each.activity, each.session_id), looked, total)
            if last is not None and (looked >= LOOKED_AT_MOST or read >= READ_AT_MOST):
                return SessionPage(self._complete(rows), make_cursor(last.activity, last.session_id), looked, total)
        return SessionPage(self._complete(rows), None, looked, total)

    def row(self, session_id: str) -> SessionRow | None:
        keys_of(session_id)  # raises ValueError
        rows = self._rows([session_id])
        return rows[0] if rows else None

    def gone(self, session_id: str, owner: str | None = None) -> Gone | None:
        if self.row(session_id) is not None:
            return None
        score = self._ask(lambda client: client.zscore(INDEX, session_id))
        found = self._endings.of(session_id, None if score is None else float(score), self._ttl_seconds)
        if found is None or owner in (None, found.owner):
            return found
        was_theirs = not found.owner and self._ask(lambda client: client.sismember(owned_by(owner or ""), session_id))
        return found if was_theirs else None

    def rename(self, session_id: str, title: str) -> None:
        named = serialization.title_of(title)
        if not named:
            raise ValueError("a title needs at least one character")
        self._write(lua_sessions.SAVE, session_id, "title", named)

    def pin_session(self, session_id: str, pinned: bool) -> None:
        self._write(lua_sessions.NOTE, session_id, "session_pinned", "1" if pinned else "")
        change = "sadd" if pinned else "srem"
        self._ask(lambda client: getattr(client, change)(PINNED, session_id))

    def pinned_sessions(self, limit: int = 10) -> Sequence[SessionRow]:
        rows = [row for row in self._rows(self._entries.members(PINNED)) if row.pinned]
        return sorted(rows, key=lambda row: row.last_activity, reverse=True)[:limit]

    def expire(self, session_id: str, seconds: float | None) -> None:
        milliseconds: int | str = "" if seconds is None else max(0, round(seconds * 1000))
        title, owner = self._title_and_owner(session_id)
        self._write(lua_sessions.EXPIRE, session_id, milliseconds)
        if seconds is not None:
            self._endings.note(Gone(session_id, "expired", time.time() + max(0.0, seconds), title, owner))
        else:
            self._ask(lambda client: client.persist(INDEX))

    def delete(self, session_id: str) -> str:
        receipt, (title, owner) = uuid.uuid4().hex, self._title_and_owner(session_id)
        score = self._ask(lambda client: client.zscore(INDEX, session_id)) or 0.0
        self._write(lua_sessions.DELETE, session_id, receipt, BIN_MS, repr(float(score)))
        self._index.remove(session_id)
        self._endings.note(Gone(session_id, "deleted", time.time(), title, owner))
        return receipt

    def undelete(self, session_id: str, receipt: str) -> bool:
        if not valid_session_id(receipt):
            return False
        score = self._write(lua_sessions.UNDELETE, session_id, receipt)
        if not score:
            return False
        if float(score) > 0:
            self._ask(lambda client: client.zadd(INDEX, {session_id: float(score)}))
        self._endings.forget(session_id)
        return True

    def claim(self, session_id: str, owner: str) -> str:
        status = self._write(lua_sessions.CLAIM, session_id, owner)
        if status != "ok":
            return status.removeprefix(lua_sessions.OWNED_BY)
        self._remember(owned_by(owner), session_id)
        return owner

    def set_share(self, session_id: str, share: Share) -> None:
        self._write(lua_sessions.NOTE, session_id, "share", share)

    def set_parent(self, session_id: str, parent: Parent) -> None:
        self._write(lua_sessions.SAVE, session_id, "parent", serialization.to_json(asdict(parent)))
        self._remember(forks_of(parent.session_id), session_id)

    def children(self, session_id: str) -> Sequence[SessionRow]:
        rows = self._rows(self._entries.members(forks_of(session_id)))
        found = [row for row in rows if row.parent is not None and row.parent.session_id == session_id]
        return sorted(found, key=lambda row: (row.created_at or 0.0, row.session_id))

    @abstractmethod
    def turns(self, session_id: str, newest: int | None = None) -> list[Turn]:
        """See ConversationStore."""

    @abstractmethod
    def _write(self, script: str, session_id: str, *arguments: bytes | str | int, listed: bool = False) -> str:
        """Run a writing script and return its status. Raises the matching error if it refused."""

    def _ask(self, operation: Any) -> Any:
        return self._client.ask(operation)

    def _remember(self, key: str, session_id: str) -> None:
        """Add the session to a set that lives as long as the index knows sessions."""

        def add(client: Client) -> None:
            client.sadd(key, session_id)
            client.expire(key, self._ttl_seconds + KEPT_IN_INDEX_MS // 1000)

        self._ask(add)

    def _rows(self, session_ids: Sequence[str]) -> tuple[SessionRow, ...]:
        """The rows of these sessions, without those that do not exist."""
        found = [each for batch in split(self._entries.of(session_ids)) for each in self._look_up(batch)]
        now = self._now(found)
        return self._complete([redis_rows.row_of(each, now, redis_rows.stored_sums(each)) for each in found])

    def _look_up(self, batch: Sequence[Entry]) -> list[redis_rows.Found]:
        return [each for each in self._ask(partial(redis_rows.look_up, entries=batch)) if each.exists]

    def _now(self, found: Sequence[redis_rows.Found]) -> float:
        """The store's time; only asked for if a live turn's age depends on it."""
        return float(self._ask(redis_rows.server_time)) if any(each.live for each in found) else time.time()

    def _texts(self, found: Sequence[redis_rows.Found], needle: str) -> list[bytes]:
        """The messages of each session, as far as they are searched; empty if the title already holds the text."""
        wanted = [needle != "" and needle not in each.title.casefold() for each in found]

        def read(client: Client) -> Any:
            pipe = client.pipeline(transaction=False)
            for each, is_wanted in zip(found, wanted, strict=True):
                if is_wanted:
                    pipe.getrange(keys_of(each.session_id).history, 0, matching.MOST_BYTES - 1)
            return pipe.execute(raise_on_error=False)

        answers = iter(self._ask(read) if any(wanted) else [])
        texts = (next(answers) if is_wanted else b"" for is_wanted in wanted)
        return [text if isinstance(text, bytes) else b"" for text in texts]

    def _complete(self, rows: Sequence[SessionRow]) -> tuple[SessionRow, ...]:
        """Add what takes more reading: sizes in bytes, and sums for the sessions that have none."""
        if not rows:
            return ()
        sizes = self._ask(partial(redis_rows.sizes_of, session_ids=[row.session_id for row in rows]))
        full = [row if row.messages is not None else self._worked_out(row) for row in rows]
        return tuple(replace(row, size=size) for row, size in zip(full, sizes, strict=True))

    def _worked_out(self, row: SessionRow) -> SessionRow:
        """The row with the sums of its messages and newest turns, if they are not too many to read for a list."""
        keys = keys_of(row.session_id)
        length = self._ask(lambda client: client.strlen(keys.history))
        if length > COUNTED_AT_MOST:
            return row
        try:
            messages = serialization.unpack_messages(self._ask(lambda client: client.get(keys.history)) or b"[]", b"")
            turns = self.turns(row.session_id, TURNS_READ)
        except ChatError:
            return row
        held = sums.of_turns(turns)
        provider, model, strategy = held.last
        return replace(
            row,
            provider=provider or row.provider,
            model=model or row.model,
            strategy=strategy or row.strategy,
            messages=len(messages),
            turns=held.turns,
            usage=held.usage,
            turns_with_dropped=held.dropped,
            stopped=held.stopped,
        )

    def _title_and_owner(self, session_id: str) -> tuple[str, str]:
        """Both empty if there are none or they cannot be read."""
        try:
            title, owner = self._ask(lambda client: client.hmget(keys_of(session_id).about, "title", "owner"))
        except CorruptHistory:
            return "", ""
        return (title or b"").decode(errors="replace"), (owner or b"").decode(errors="replace")


def _holds(row: SessionRow, text: bytes, needle: str) -> bool:
    return not needle or needle in row.title.casefold() or matching.holds(text, needle)
