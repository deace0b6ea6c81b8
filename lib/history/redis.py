"""RedisHistory: conversations in Redis, laid out so that another service can share them.

    chat:<id>            string   the JSON array of messages, exactly as the source document's service writes it
    {chat:<id>}:turns    stream   one entry per turn, field `turn`
    {chat:<id>}:live     string   the turn being answered: the session's lock
    {chat:<id>}:about    hash     title, created_at, settings, muted:<index>
    {chat:<id>}:signal   string   a message to the owner of the live record: stop, or gone
    chats                zset     session ids by last activity; an index, never the truth

The rule: a write is one script (lib/history/scripts.py), and reading writes nothing. Appending costs what is appended. A warm
load costs what was added since the last one: the bytes before the known end are compared first, so that a history which
another service rewrote is read afresh.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import redis

from lib.errors import CorruptHistory, TurnInProgress, TurnLost
from lib.history import About, SessionSummary, Signal, scripts, valid_session_id
from lib.history.connecting import answering
from lib.history.wire import dump, dump_messages, read, read_messages
from lib.messages import Message
from lib.turns import STALE_AFTER, LiveTurn, Turn

INDEX = "chats"
PROBE_BYTES = 256
"""How much before the known end must be unchanged for a warm load."""
WARM_SESSIONS = 64
TITLE_CHARACTERS = 80

T = TypeVar("T")


@dataclass(slots=True)
class Warm:
    """A history as it was last read: its messages, the length of its value in bytes, and the last of those bytes."""

    messages: tuple[Message, ...]
    size: int
    probe: bytes


class RedisHistory:
    """A HistoryStore on a redis-py client (a cluster's, too). `revive` is asked to bring the server back when it died."""

    def __init__(
        self,
        client: Any,
        ttl_seconds: int,
        *,
        note: str | None = None,
        revive: Callable[[], bool] | None = None,
        written: Callable[[], None] | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self.note = note
        self._client = client
        self._ttl = ttl_seconds
        self._revive = revive
        self._written = written
        self._close = close
        self._lock = threading.Lock()
        self._warm: OrderedDict[str, Warm] = OrderedDict()
        names = ("BEGIN", "BEAT", "LIVE", "COMMIT", "DISCARD", "STOP", "CLEAR", "REMEMBER")
        self._scripts = {name: client.register_script(getattr(scripts, name)) for name in names}

    # -- reading -----------------------------------------------------------------------------------------------------

    def ping(self) -> None:
        self._ask(lambda: self._client.exists(INDEX))

    def load(self, session_id: str) -> Sequence[Message]:
        key = keys(session_id)[0]
        with self._lock:
            warm = self._warm.get(session_id)
        try:
            fresh = self._ask(lambda: self._load_tail(key, warm) or self._load_all(key))
        except redis.ResponseError as exc:  # not a string at all: another service's key of this name
            raise CorruptHistory(
                f"The stored conversation is not text: {exc}.", raw=self.raw(session_id) or b""
            ) from exc
        with self._lock:
            self._warm[session_id] = fresh
            self._warm.move_to_end(session_id)
            if len(self._warm) > WARM_SESSIONS:
                self._warm.popitem(last=False)
        return fresh.messages

    def _load_tail(self, key: str, warm: Warm | None) -> Warm | None:
        """What was added since; None when the value is not the known one with something behind it."""
        if warm is None or warm.size <= 2:
            return None
        probe = warm.probe
        tail: bytes = self._client.getrange(key, warm.size - 1 - len(probe), -1)
        if tail[: len(probe)] != probe or not tail.endswith(b"]"):
            return None
        added = tail[len(probe) :]
        if added == b"]":
            return warm
        if not added.startswith(b","):
            return None
        messages = (*warm.messages, *read_messages(b"[" + added[1:], len(warm.messages)))
        return Warm(messages, warm.size + len(added) - 1, tail[-1 - PROBE_BYTES : -1])

    def _load_all(self, key: str) -> Warm:
        raw: bytes | None = self._client.get(key)
        if raw is None:
            return Warm((), 0, b"")
        messages = tuple(read_messages(raw))
        # only a compact array can be continued where it ends; another one is read whole each time
        compact = raw.startswith(b"[") and raw.endswith(b"]")
        return Warm(messages, len(raw) if compact else 0, raw[-1 - PROBE_BYTES : -1])

    def raw(self, session_id: str) -> bytes | None:
        key = keys(session_id)[0]

        def value() -> bytes | None:
            kind = self._client.type(key)
            if kind in (b"string", b"none"):
                got: bytes | None = self._client.get(key)
                return got
            return f"(a Redis {kind.decode()} is stored under {key})".encode()

        return self._ask(value)

    def live(self, session_id: str) -> LiveTurn | None:
        key = keys(session_id)[2]
        raw, (seconds, micros) = self._ask(lambda: self._scripts["LIVE"](keys=[key]))
        if raw is None:
            return None
        try:
            record = read(raw)
            age = int(seconds) + int(micros) / 1e6 - float(record["beat"])
            return LiveTurn.from_dict(record, max(0.0, age))
        except (ValueError, KeyError, TypeError) as exc:
            raise CorruptHistory("The record of the turn being answered cannot be read.", raw=raw, where=key) from exc

    def turns(self, session_id: str, newest: int | None = None) -> list[Turn]:
        key = keys(session_id)[1]
        total, entries = self._ask(lambda: self._piped(lambda p: (p.xlen(key), p.xrevrange(key, count=newest))))
        return [_turn(entry, total - place) for place, entry in enumerate(entries)][::-1]

    def turn(self, session_id: str, number: int) -> Turn | None:
        key = keys(session_id)[1]
        total = self._ask(lambda: self._client.xlen(key))
        if not 1 <= number <= total:
            return None
        from_end = total - number + 1
        if number <= from_end:
            entries = self._ask(lambda: self._client.xrange(key, count=number))
        else:
            entries = self._ask(lambda: self._client.xrevrange(key, count=from_end))
        return _turn(entries[-1], number) if entries else None

    def about(self, session_id: str) -> About:
        key = keys(session_id)[3]
        stored: dict[bytes, bytes] = self._ask(lambda: self._client.hgetall(key))
        created = stored.get(b"created_at")
        muted = (name.removeprefix(b"muted:") for name in stored if name.startswith(b"muted:"))
        try:
            return About(
                title=stored.get(b"title", b"").decode("utf-8", "replace"),
                created_at=float(created) if created else None,
                settings=read(stored.get(b"settings", b"{}")),
                muted=frozenset(int(index) for index in muted),
            )
        except ValueError as exc:
            raise CorruptHistory(
                "What is kept about this session cannot be read.", raw=repr(stored).encode(), where=key
            ) from exc

    def sessions(self, limit: int) -> list[SessionSummary]:
        # some more than asked for: entries of sessions that expired are passed over, and dropped by a later write
        listed: list[tuple[bytes, float]] = self._ask(
            lambda: self._client.zrevrange(INDEX, 0, 2 * limit + 8, withscores=True)
        )
        found: list[SessionSummary] = []
        for name, score in listed:
            session_id = name.decode("ascii", "replace")
            if len(found) == limit or not valid_session_id(session_id):
                continue
            title, ttls = self._ask(lambda sid=session_id: self._summary(sid))  # type: ignore[misc]  # a lambda in a loop
            alive = [ttl for ttl in ttls if ttl != -2]
            if alive:
                left = None if -1 in alive else max(alive) / 1000
                found.append(SessionSummary(session_id, (title or b"").decode("utf-8", "replace"), score, left))
        return found

    def _summary(self, session_id: str) -> tuple[bytes | None, list[int]]:
        chat, _, live, about, _ = keys(session_id)
        title, chat_ttl, live_ttl = self._piped(lambda p: (p.hget(about, "title"), p.pttl(chat), p.pttl(live)))
        return title, [chat_ttl, live_ttl]

    def expires_in(self, session_id: str) -> float | None:
        left = self._ask(lambda: self._client.pttl(keys(session_id)[0]))
        return left / 1000 if left >= 0 else None

    # -- writing -----------------------------------------------------------------------------------------------------

    def begin(self, session_id: str, live: LiveTurn, *, instead_of: str | None = None) -> None:
        arguments = [
            live.id,
            _rest(live),
            self._ttl,
            title_of(live.prompt),
            live.started_at,
            instead_of or "",
            STALE_AFTER,
        ]
        said = self._run("BEGIN", session_id, arguments)
        if said == b"interrupted":
            raise TurnInProgress(
                "An earlier message of this chat was not answered and waits for your decision.",
                next_step="Retry, keep, edit or discard it first, then send again.",
            )
        if said == b"answering":
            raise TurnInProgress("A message of this chat is already being answered.")
        self._touch(session_id)

    def beat(self, session_id: str, live: LiveTurn) -> Signal:
        said = self._run("BEAT", session_id, [live.id, _rest(live), self._ttl])
        if said == b"lost":
            raise TurnLost("The turn was cleared or discarded.")
        return "stop" if said == b"stop" else "ok"

    def request_stop(self, session_id: str, live_id: str) -> None:
        self._run("STOP", session_id, [live_id, self._ttl])

    def commit(self, session_id: str, live_id: str, messages: Sequence[Message], turn: Turn) -> None:
        mute = "" if turn.replaces is None else turn.replaces
        said = self._run(
            "COMMIT",
            session_id,
            [
                live_id,
                dump_messages(messages),
                dump(turn.to_dict()),
                self._ttl,
                mute,
                title_of(turn.prompt),
                turn.started_at,
            ],
        )
        if said == b"lost":
            raise TurnLost("The turn was cleared or discarded.")
        if said == b"corrupt":
            raise CorruptHistory(
                "The stored conversation is not a compact array of messages, so nothing was added to it.",
                raw=self.raw(session_id) or b"",
                where=keys(session_id)[0],
            )
        self._touch(session_id)

    def discard(self, session_id: str, live_id: str) -> None:
        self._run("DISCARD", session_id, [live_id, self._ttl])

    def clear(self, session_id: str) -> None:
        self._run("CLEAR", session_id, [self._ttl])
        self._ask(lambda: self._client.zrem(INDEX, session_id))
        with self._lock:
            self._warm.pop(session_id, None)

    def remember(self, session_id: str, settings: Mapping[str, Any]) -> None:
        self._run("REMEMBER", session_id, [dump(dict(settings)), self._ttl])

    def close(self) -> None:
        self._client.close()
        if self._close is not None:
            self._close()

    def _touch(self, session_id: str) -> None:
        """Keep the index in step, and drop what must have expired by now."""
        now = time.time()

        def index() -> None:
            self._piped(lambda p: (p.zadd(INDEX, {session_id: now}), p.zremrangebyscore(INDEX, 0, now - self._ttl)))

        self._ask(index)

    def _run(self, name: str, session_id: str, arguments: list[Any]) -> Any:
        said = self._ask(lambda: self._scripts[name](keys=keys(session_id), args=arguments))
        if self._written is not None:
            self._written()
        return said

    def _piped(self, commands: Callable[[Any], object]) -> Any:
        """Several commands in one round trip, without a transaction."""
        with self._client.pipeline(transaction=False) as pipe:
            commands(pipe)
            return pipe.execute()

    def _ask(self, question: Callable[[], T]) -> T:
        """Ask the server; failures leave as HistoryUnavailable, after one try to bring a dead server back."""
        return answering(question, self._revive)


def keys(session_id: str) -> list[str]:
    """The five keys of a session, in the scripts' order. Raises ValueError for an id that cannot be one.

    Example: keys("42") -> ["chat:42", "{chat:42}:turns", "{chat:42}:live", "{chat:42}:about", "{chat:42}:signal"]
    """
    if not valid_session_id(session_id):
        raise ValueError(f"{session_id!r} cannot be a session id")
    beside = (f"{{chat:{session_id}}}:{name}" for name in ("turns", "live", "about", "signal"))
    return [f"chat:{session_id}", *beside]


def title_of(prompt: str) -> str:
    """A session's title: the beginning of its first message, on one line, as UTF-8 can carry it."""
    line = " ".join(prompt[:1000].split())[:TITLE_CHARACTERS]
    return line.encode("utf-8", "replace").decode()


def _rest(live: LiveTurn) -> str:
    """A live record without id and heartbeat (the scripts write those) and without the opening brace."""
    fields = live.to_dict()
    del fields["id"]
    failed = {"failed": True} if live.error is not None else {}
    return dump({**failed, **fields})[1:]


def _turn(entry: tuple[bytes, dict[bytes, bytes]], number: int) -> Turn:
    entry_id, fields = entry
    try:
        return Turn.from_dict(read(fields[b"turn"]), number)
    except (ValueError, KeyError, TypeError) as exc:
        raw = fields.get(b"turn", b"")
        raise CorruptHistory(
            "The record of a turn cannot be read.", raw=raw, where=f"turn {number}, {entry_id.decode()}"
        ) from exc
