"""The history store in Redis or Valkey: a single server, a cluster, or the server that the app started itself.

Every write is one script (see lua.py), so a crash never leaves half an exchange, and other services and processes never
see one. Every script may run twice, so a broken connection neither loses nor repeats anything.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from lib.context.candidates import Summary
from lib.errors import CorruptHistory, HistoryUnavailable
from lib.history import (
    About,
    Mark,
    Recording,
    SessionSummary,
    Signal,
    lua,
    lua_messages,
    lua_turns,
    serialization,
    valid_session_id,
)
from lib.history.client import Client, EvictionCheck, RetryingClient
from lib.history.keys import keys_of
from lib.history.prompt_sets import RunStore
from lib.history.prompt_sets.redis import RedisRuns
from lib.history.reader import MessageReader
from lib.history.refusals import (
    being_answered,
    changed_meanwhile,
    checked_index,
    checked_messages,
    interrupted,
    occupied,
    turn_lost,
)
from lib.history.session_index import SessionIndex, seconds
from lib.history.sessions import Gone, restoring, stored_about, sums
from lib.history.sessions.redis_directory import RedisDirectory
from lib.messages import Message
from lib.tokens.counted import text_of
from lib.turns import LiveTurn, Turn

REFUSALS = {b"answering": being_answered, b"interrupted": interrupted, b"lost": turn_lost, b"occupied": occupied}
"""The error for each status with which a script refuses."""
IMPORT_ATTEMPTS = 3
"""How often an import is tried if another service changes the history meanwhile."""


class RedisHistory(RedisDirectory):
    """A HistoryStore on a Redis client.

    `client` may also be a function that creates the client at first use; a cluster client needs that, because creating
    it connects. `note` is a warning that pages show; without one, the server is asked whether it deletes chats.
    `revive` restarts a dead server and returns whether it answers.
    `written` is called after every write, `close` when the store is closed.
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
        connection = RetryingClient(client if callable(client) else lambda: client, revive)
        super().__init__(connection, SessionIndex(connection, ttl_seconds), ttl_seconds)
        self._reader = MessageReader(self._client)
        self._note = note
        self._eviction = EvictionCheck(self._client)
        self._written = written
        self._close = close
        self.prompt_runs: RunStore = RedisRuns(connection, written)

    @property
    def client(self) -> RetryingClient:
        """The connection, for those who only read."""
        return self._client

    @property
    def note(self) -> str | None:
        return self._note or self._eviction.note()

    def ping(self) -> None:
        self._client.ask(lambda client: client.ping())

    def load(self, session_id: str) -> Sequence[Message]:
        return self._reader.read(session_id).messages

    def raw(self, session_id: str) -> bytes | None:
        return self._reader.raw(session_id)

    def begin(self, session_id: str, live: LiveTurn, *, instead_of: str | None = None) -> None:
        title = serialization.title_of(live.prompt)
        record = serialization.pack_live(live)
        self._write(
            lua_turns.BEGIN, session_id, _id(live.id), record, _id(instead_of) if instead_of else "", title, listed=True
        )

    def live(self, session_id: str) -> LiveTurn | None:
        record, now = self._client.run(lua_turns.LIVE, keys_of(session_id))
        return None if record is None else serialization.unpack_live(record, float(now))

    def heartbeat(self, session_id: str, live: LiveTurn) -> Signal:
        record = serialization.pack_live(live)
        return "stop" if self._write(lua_turns.HEARTBEAT, session_id, _id(live.id), record) == "stop" else "ok"

    def request_stop(self, session_id: str, live_id: str) -> None:
        self._write(lua_turns.REQUEST_STOP, session_id, _id(live_id))

    def commit(self, session_id: str, live_id: str, messages: Sequence[Message], turn: Turn) -> None:
        self._reader.check_readable(session_id)  # never append to a value that cannot be parsed
        added, record = serialization.pack_messages(messages), serialization.pack_turn(turn)
        muted = "" if turn.replaces is None else turn.replaces
        sum_of = serialization.to_json(sums.of_turns([turn], messages).to_dict())
        self._write(lua_messages.COMMIT, session_id, _id(live_id), added, record, muted, sum_of, listed=True)

    def discard(self, session_id: str, live_id: str) -> None:
        self._write(lua_turns.DISCARD, session_id, _id(live_id))

    def clear(self, session_id: str) -> None:
        title, owner = self._title_and_owner(session_id)
        self._write(lua.CLEAR, session_id)
        self._reader.forget(session_id)
        if self._index.remove(session_id):
            with suppress(HistoryUnavailable):  # a full server clears, but takes no note of it
                self._endings.note(Gone(session_id, "deleted", time.time(), title, owner))

    def import_messages(self, session_id: str, messages: Sequence[Message], source: str) -> None:
        if not messages:
            return
        title = serialization.title_of(next((text_of(message) for message in messages if message.role == "user"), ""))
        added, import_id = serialization.pack_messages(checked_messages(messages)), uuid.uuid4().hex
        sum_of = serialization.to_json(sums.of_turns([], messages, imported=len(messages)).to_dict())
        for _ in range(IMPORT_ATTEMPTS):
            history = self._reader.read(session_id)
            record = serialization.pack_import(len(history.messages), len(messages), source)
            arguments = (import_id, history.end, added, record, title, sum_of)
            if self._write(lua_messages.IMPORT, session_id, *arguments, listed=True) == "ok":
                return
        raise changed_meanwhile()

    def restore(self, session_id: str, recording: Recording) -> None:
        if not recording.messages:
            raise ValueError("a recording without messages")
        value = restoring.value_of(recording)
        fields = [*restoring.about_fields(recording), "sums", restoring.sums_of(recording, value)]
        self._write(
            lua_messages.RESTORE,
            session_id,
            uuid.uuid4().hex,
            value,
            serialization.pack_import(0, len(recording.messages), recording.source, recording.whole),
            restoring.kept_title(recording.title),
            7 + len(fields),
            *fields,
            *restoring.turn_records(recording),
            listed=True,
        )

    def turns(self, session_id: str, newest: int | None = None) -> list[Turn]:
        stream = keys_of(session_id).turns
        if newest is not None and newest < 1:
            return []
        entries = self._client.ask(lambda client: client.xrevrange(stream, count=newest))
        return [_turn(entry) for entry in reversed(entries)]

    def turn(self, session_id: str, number: int) -> Turn | None:
        stream = keys_of(session_id).turns
        if number < 1:
            return None
        entries = self._client.ask(lambda client: client.xrange(stream, f"{number}-0", f"{number}-0"))
        return _turn(entries[0]) if entries else None

    def about(self, session_id: str) -> About:
        key = keys_of(session_id).about
        return stored_about.unpack_about(self._client.ask(lambda client: client.hgetall(key)))

    def save_settings(self, session_id: str, settings: Mapping[str, Any]) -> None:
        self._write(lua.SAVE_FIELD, session_id, "settings", serialization.to_json(dict(settings)))

    def mark(self, session_id: str, index: int, mark: Mark | None) -> None:
        self._write(lua.MARK, session_id, checked_index(index), mark or "")

    def keep_summaries(self, session_id: str, summaries: Sequence[Summary], live_id: str | None = None) -> None:
        owner = "" if live_id is None else _id(live_id)
        packed = serialization.to_json([asdict(summary) for summary in summaries])
        self._write(lua.SAVE_SUMMARIES, session_id, owner, packed)

    def keep_handles(self, session_id: str, handles: Mapping[str, Any]) -> None:
        self._write(lua.SAVE_FIELD, session_id, "handles", serialization.to_json(dict(handles)))

    def sessions(self, limit: int) -> list[SessionSummary]:
        return self._index.newest(limit)

    def expires_in(self, session_id: str) -> float | None:
        key = keys_of(session_id).history
        return seconds(self._client.ask(lambda client: client.pttl(key)))

    def close(self) -> None:
        self._client.close()
        if self._close is not None:
            self._close()

    def _write(self, script: str, session_id: str, *arguments: bytes | str | int, listed: bool = False) -> str:
        """Run a writing script and return its status. `listed` also moves the session to the top of the index.

        Raises the matching error if the script refused.
        """
        try:
            if listed:
                status = self._index.run(script, session_id, *arguments)
            else:
                status = self._client.run(script, keys_of(session_id), self._ttl_ms, *arguments)
        except CorruptHistory as exc:
            raise self._reader.wrong_type(session_id) from exc
        if self._written is not None:
            self._written()
        if status in REFUSALS:
            raise REFUSALS[status]()
        if status == b"corrupt":
            what = "The stored history is not an array of messages, so nothing was added to it."
            raise CorruptHistory(what, raw=self.raw(session_id) or b"", where="its first and last bytes")
        return str(status.decode())


def _turn(entry: tuple[bytes, Mapping[bytes, bytes]]) -> Turn:
    entry_id, fields = entry
    return serialization.unpack_turn(fields.get(b"turn", b""), int(entry_id.split(b"-")[0]))


def _id(live_id: str) -> str:
    """Check the id of a live turn, because the scripts put it between quotes. Raises ValueError."""
    if not valid_session_id(live_id):
        raise ValueError(f"not an id of a live turn: {live_id!r}")
    return live_id
