"""HistoryStore in Redis or Valkey: a single server, a cluster, or the server the app started itself.

The rule: every write is one script (scripts.py), so that other services, other processes and crashes see a whole exchange or
nothing; and every script may be run twice, so that a broken connection loses and doubles nothing.
It leaves out the names of keys (keys.py), what bytes mean (serialization.py) and how a server is reached (connecting.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lib.context.plan import Summary
from lib.errors import CorruptHistory
from lib.history import About, Mark, SessionSummary, Signal, lua, serialization, valid_session_id
from lib.history.client import Client, RetryingClient
from lib.history.keys import keys_of
from lib.history.read_cache import CachedHistory, ReadCache
from lib.history.refusals import being_answered, checked_index, turn_lost, waits_for_a_decision
from lib.history.session_index import SessionIndex, seconds
from lib.messages import Message
from lib.turns import LiveTurn, Turn

AT_ONCE = 16_384
"""Bytes a script may return: a large value is faster read by GET, which does not copy it through Lua."""


class RedisHistory:
    """The store. `client` may also be a function that makes it, called at first use (a cluster is reached when made).

    `note` is what people must know about this store; `revive` starts a dead server again and says whether it answers;
    `written` is called after every write; `close` gives back whatever the client needs. Times to live are seconds.
    """

    def __init__(
        self,
        client: Client | Callable[[], Client],
        ttl_seconds: int,
        *,
        note: str | None = None,
        revive: Callable[[], bool] | None = None,
        written: Callable[[], None] | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self._link = RetryingClient(client if callable(client) else lambda: client, revive)
        self._index = SessionIndex(self._link, ttl_seconds)
        self._ttl = ttl_seconds
        self._note = note
        self._written = written
        self._close = close
        self._cache = ReadCache()

    @property
    def note(self) -> str | None:
        return self._note

    def ping(self) -> None:
        self._link.ask(lambda client: client.ping())

    def load(self, session_id: str) -> Sequence[Message]:
        known = self._cache.get(session_id)
        if known is not None and known.stamp:
            tail, stamp, _ = self._bytes(session_id, known.asked_from, -1)
            grown = known.grown(tail, stamp)
            if grown is not None:
                return self._cache.keep(session_id, grown).messages
        value, stamp, length = self._bytes(session_id, 0, AT_ONCE - 1)
        if length > len(value):
            # The stamp may be older than this value. That is safe: a stamp that was replaced never comes back.
            value = self.raw(session_id) or b""
        if not value:
            self._cache.forget(session_id)
            return ()
        return self._cache.keep(session_id, self._read(session_id, value, stamp, known)).messages

    def _bytes(self, session_id: str, first: int, last: int) -> tuple[bytes, str, int]:
        """A part of the stored value, the stamp that says whether the rest changed, and the whole length."""
        try:
            value, stamp, length = self._run(lua.LOAD, session_id, first, last)
        except CorruptHistory as exc:
            raise self._wrong_type(session_id) from exc
        return value, stamp.decode(), length

    def _read(self, session_id: str, value: bytes, stamp: str, known: CachedHistory | None) -> CachedHistory:
        """Parse a whole value. Where it only grew, the messages that were given out before are given out again."""
        try:
            messages = serialization.unpack_messages(value, value)
        except CorruptHistory:
            self._cache.forget(session_id)
            raise
        if known is not None and messages[: len(known.messages)] == known.messages:
            messages = known.messages + messages[len(known.messages) :]
        return CachedHistory.of(value.rstrip(), stamp, messages)

    def _wrong_type(self, session_id: str) -> CorruptHistory:
        what = f"The stored history is {self._kind(session_id)}, not a string that holds an array of messages."
        return CorruptHistory(what, raw=self.raw(session_id) or b"", where="key type")

    def _kind(self, session_id: str) -> str:
        kind: bytes = self._link.ask(lambda client: client.type(keys_of(session_id).history))
        return f"a Redis {kind.decode()}"

    def begin(self, session_id: str, live: LiveTurn, *, instead_of: str | None = None) -> None:
        self._index.touch(session_id)  # first: if it fails, nothing was begun
        title = serialization.title_of(live.prompt)
        answer = self._write(
            lua.BEGIN, session_id, _id(live.id), serialization.pack_live(live), _id(instead_of or ""), title
        )
        if answer == "answering":
            raise being_answered()
        if answer == "interrupted":
            raise waits_for_a_decision()

    def live(self, session_id: str) -> LiveTurn | None:
        record, now = self._run(lua.LIVE, session_id)
        return None if record is None else serialization.unpack_live(record, float(now))

    def heartbeat(self, session_id: str, live: LiveTurn) -> Signal:
        return (
            "stop" if self._write(lua.BEAT, session_id, _id(live.id), serialization.pack_live(live)) == "stop" else "ok"
        )

    def request_stop(self, session_id: str, live_id: str) -> None:
        self._write(lua.REQUEST_STOP, session_id, _id(live_id))

    def commit(self, session_id: str, live_id: str, messages: Sequence[Message], turn: Turn) -> None:
        if self._cache.get(session_id) is None:
            self.load(session_id)  # nothing is added to a value that cannot be read
        start, whole = serialization.pack_turn(turn)
        muted = "" if turn.replaces is None else turn.replaces
        self._write(lua.COMMIT, session_id, _id(live_id), serialization.pack_messages(messages), start, whole, muted)
        self._index.touch(session_id)  # if this fails the caller commits again, which adds nothing twice

    def discard(self, session_id: str, live_id: str) -> None:
        self._write(lua.DISCARD, session_id, _id(live_id))

    def clear(self, session_id: str) -> None:
        self._write(lua.CLEAR, session_id)
        self._cache.forget(session_id)
        self._index.remove(session_id)

    def turns(self, session_id: str, newest: int | None = None) -> list[Turn]:
        stream = keys_of(session_id).turns
        if newest is not None and newest < 1:
            return []
        entries = self._link.ask(lambda client: client.xrevrange(stream, count=newest))
        return [_turn(entry) for entry in reversed(entries)]

    def turn(self, session_id: str, number: int) -> Turn | None:
        stream = keys_of(session_id).turns
        if number < 1:
            return None
        entries = self._link.ask(lambda client: client.xrange(stream, f"{number}-0", f"{number}-0"))
        return _turn(entries[0]) if entries else None

    def about(self, session_id: str) -> About:
        key = keys_of(session_id).about
        return serialization.unpack_about(self._link.ask(lambda client: client.hgetall(key)))

    def save_settings(self, session_id: str, settings: Mapping[str, Any]) -> None:
        self._write(lua.SAVE_FIELD, session_id, "settings", serialization.to_json(dict(settings)))

    def mark(self, session_id: str, index: int, mark: Mark | None) -> None:
        self._write(lua.MARK, session_id, checked_index(index), mark or "")

    def keep_summaries(self, session_id: str, summaries: Sequence[Summary], live_id: str | None = None) -> None:
        of_turn = "" if live_id is None else _id(live_id)
        self._write(
            lua.SUMMARIES, session_id, of_turn, serialization.to_json([asdict(summary) for summary in summaries])
        )

    def keep_handles(self, session_id: str, handles: Mapping[str, Any]) -> None:
        self._write(lua.SAVE_FIELD, session_id, "handles", serialization.to_json(dict(handles)))

    def sessions(self, limit: int) -> list[SessionSummary]:
        return self._index.newest(limit)

    def expires_in(self, session_id: str) -> float | None:
        key = keys_of(session_id).history
        return seconds(self._link.ask(lambda client: client.pttl(key)))

    def raw(self, session_id: str) -> bytes | None:
        key = keys_of(session_id).history
        try:
            value: bytes | None = self._link.ask(lambda client: client.get(key))
        except CorruptHistory:  # of another type: there are no bytes to show, so say what it is
            return f"({self._kind(session_id)})".encode()
        return value

    def close(self) -> None:
        self._link.close()
        if self._close is not None:
            self._close()

    def _write(self, script: str, session_id: str, *arguments: bytes | str | int) -> str:
        """Run a writer and return its answer. Raises TurnLost or CorruptHistory where it was refused."""
        answer = self._run(script, session_id, *arguments)[0].decode()
        if self._written is not None:
            self._written()
        if answer == "lost":
            raise turn_lost()
        if answer == "corrupt":
            what = "The stored history is not an array of messages, so nothing was added to it."
            raise CorruptHistory(what, raw=self.raw(session_id) or b"", where="its first and last bytes")
        if answer.startswith("wrong type "):
            kind, key = answer.removeprefix("wrong type ").split(" ", 1)
            what = f"The key {key} is a Redis {kind}, which Windowseat does not write. Nothing was changed."
            raise CorruptHistory(what, raw=self.raw(session_id) or b"", where="key type")
        return str(answer)

    def _run(self, script: str, session_id: str, *arguments: bytes | str | int) -> Any:
        return self._link.run(script, keys_of(session_id), self._ttl * 1000, *arguments)


def _turn(entry: tuple[bytes, Mapping[bytes, bytes]]) -> Turn:
    entry_id, fields = entry
    return serialization.unpack_turn(fields.get(b"turn", b""), int(entry_id.split(b"-")[0]))


def _id(live_id: str) -> str:
    """A live turn's id, which stands between quotes in the record's first bytes and in the scripts' patterns."""
    if live_id and not valid_session_id(live_id):
        raise ValueError(f"not an id of a live turn: {live_id!r}")
    return live_id
