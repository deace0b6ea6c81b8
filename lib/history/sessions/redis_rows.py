"""Looks up what a list of sessions shows of each, many sessions in one round trip."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from lib import outside_values
from lib.errors import HistoryUnavailable
from lib.history import serialization
from lib.history.client import Client, RetryingClient
from lib.history.keys import keys_of
from lib.history.redis_errors import crosses_slots
from lib.history.session_index import seconds
from lib.history.sessions import Origin, SessionRow, lua_rows, sums
from lib.history.sessions.stored_about import unpack_belonging
from lib.turns import STALE_AFTER

FIELDS = (b"title", b"created_at", b"sums", b"lineage", b"owner", b"share", b"parent", b"session_pinned")
"""Fields of the about hash that a row is made of."""
NO_FIELDS = (None,) * len(FIELDS)
SETTINGS = ("provider", "model", "strategy")
"""Names of the chat settings that a row shows for a session without turns."""
Entry = tuple[str, float]
"""A session's id and its last activity, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the store says of one session. `now` is the store's clock, `left` is in milliseconds as PTTL is.

    `sums` are those that are kept, None if there are none or another service changed the messages since.
    """

    session_id: str
    activity: float
    now: float
    left: int
    length: int
    turns: int
    live: bytes
    fields: Mapping[bytes, bytes | None]
    size: int | None
    sums: sums.Sums | None

    @property
    def title(self) -> str:
        return (self.fields[b"title"] or b"").decode(errors="replace")


class RowReader:
    """Looks sessions up: with one script, or command by command in a cluster, where they are in many slots."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client
        self._in_many_slots = False

    def look_up(self, entries: Sequence[Entry], with_size: bool = False) -> list[Found]:
        """What the store says of these sessions, without those that do not exist. One round trip."""
        if not entries:
            return []
        if not self._in_many_slots:
            keys = [key for session_id, _ in entries for key in keys_of(session_id)[:4]]
            try:
                now, rows = self._client.run(lua_rows.ROWS, (*keys,), "1" if with_size else "", *FIELDS)
                return [_found(*entry, float(now), row) for entry, row in zip(entries, rows, strict=True) if row]
            except HistoryUnavailable as exc:
                if not crosses_slots(exc.__cause__):
                    raise
                self._in_many_slots = True
        answers = self._client.ask(lambda client: _one_by_one(client, entries, with_size))
        return [_found(*entry, time.time(), row) for entry, row in zip(entries, answers, strict=True) if row]

    def texts(self, session_ids: Sequence[str], most: int) -> list[bytes]:
        """The first `most` bytes of each session's messages."""
        keys = tuple(keys_of(session_id).history for session_id in session_ids)
        if not keys:
            return []
        if not self._in_many_slots:
            found: list[bytes] = self._client.run(lua_rows.TEXTS, keys, most)
            return found

        def read(client: Client) -> list[bytes]:
            pipe = client.pipeline(transaction=False)
            for key in keys:
                pipe.getrange(key, 0, most - 1)
            answers = _checked(pipe.execute(raise_on_error=False), len(keys))
            return [answer or b"" for answer in answers]

        return list(self._client.ask(read))

    def settings(self, found: Sequence[Found]) -> dict[str, Mapping[str, Any]]:
        """The chat settings of these sessions, by their ids."""

        def read(client: Client) -> list[Any]:
            pipe = client.pipeline(transaction=False)
            for each in found:
                pipe.hget(keys_of(each.session_id).about, "settings")
            return _checked(pipe.execute(raise_on_error=False), len(found))

        return {each.session_id: parsed(value) for each, value in zip(found, self._client.ask(read), strict=True)}


def _one_by_one(client: Client, entries: Sequence[Entry], with_size: bool) -> list[Any]:
    """The same rows as the script's, None for a session that does not exist.

    Raises redis-py's error where a server has not answered, e.g. while a node of a cluster is replaced.
    """
    pipe = client.pipeline(transaction=False)
    for session_id, _ in entries:
        keys = keys_of(session_id)
        pipe.pttl(keys.history)
        pipe.pttl(keys.live)
        pipe.strlen(keys.history)
        pipe.xlen(keys.turns)
        pipe.getrange(keys.live, 0, 512)
        pipe.hmget(keys.about, FIELDS)
        for key in keys[:4] if with_size else ():
            pipe.memory_usage(key)
    each = 10 if with_size else 6
    answers = _checked(pipe.execute(raise_on_error=False), each * len(entries))
    rows: list[Any] = []
    for at in range(0, len(answers), each):
        left, live_left = answers[at], answers[at + 1]
        if left is None or live_left is None:
            raise redis.ConnectionError("no answer")
        sizes = [size for size in answers[at + 6 : at + each] if size]
        rows.append(None if left == live_left == -2 else [*answers[at : at + 6], sum(sizes) if sizes else None])
    return rows


def _found(session_id: str, activity: float, now: float, row: Sequence[Any]) -> Found:
    left, live_left, length, turns, live, values = row[:6]
    fields = dict(zip(FIELDS, values or NO_FIELDS, strict=True))
    kept = _kept_sums(fields[b"sums"], length or 0)
    size = row[6] if len(row) > 6 else None
    left = live_left if left == -2 else left
    return Found(session_id, activity, now, left, length or 0, turns or 0, live or b"", fields, size, kept)


def row_of(found: Found, known: sums.Sums | None, settings: Mapping[str, Any] | None = None) -> SessionRow:
    """The row of a session. `known` are its sums, `settings` what stands in for a turn that there is not."""
    fields, held = found.fields, known or sums.Sums()
    owner, share, parent, pinned = unpack_belonging(fields)
    provider, model, strategy = held.last
    if settings:
        chosen = [outside_values.word(settings.get(name)) or "" for name in SETTINGS]
        provider, model, strategy = provider or chosen[0], model or chosen[1], strategy or chosen[2]
    origin: Origin = "here" if parent is not None else _origin(found, held)
    return SessionRow(
        found.session_id,
        found.title,
        provider,
        model,
        strategy,
        messages=None if known is None else held.messages,
        turns=found.turns,
        usage=held.usage,
        created_at=_moment(fields[b"created_at"]),
        last_activity=found.activity,
        expires_in=seconds(found.left),
        size=found.size,
        origin=origin,
        pinned=pinned,
        turns_with_dropped=held.dropped,
        interrupted=bool(found.live) and _is_interrupted(found.live, found.now),
        stopped=held.stopped,
        parent=parent,
        owner=owner,
        share=share,
    )


def _kept_sums(value: bytes | None, length: int) -> sums.Sums | None:
    """The sums that are kept with a session; None if there are none, or another service changed the messages."""
    stored = parsed(value)
    if not stored or ("messages" not in stored and length) or stored.get("size", 0) != length:
        return None
    try:
        return sums.Sums.from_dict(stored)
    except (ValueError, TypeError, AttributeError):
        return None


def _origin(found: Found, known: sums.Sums) -> Origin:
    if found.length and not found.fields[b"lineage"]:
        return "service"
    changed = found.sums is None and found.fields[b"sums"] is not None
    if changed or known.service:
        return "service"
    return "import" if known.imported else "here"


def _is_interrupted(live: bytes, now: float) -> bool:
    """Whether a live record, given by its beginning, failed or has no owner any more."""
    beat = re.search(rb'"beat":([\d.]+)', live)
    return b'"failed":true' in live or beat is None or now - float(beat[1]) > STALE_AFTER


def parsed(value: bytes | None) -> Mapping[str, Any]:
    """A stored JSON object; an empty one if it cannot be read."""
    if not value:
        return {}
    try:
        held = serialization.from_json(value)
    except (ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def _moment(value: bytes | None) -> float | None:
    try:
        return None if value is None else outside_values.moment(float(value))
    except ValueError:
        return None


def _checked(answers: Sequence[Any], expected: int) -> list[Any]:
    """The answers, None for what cannot be read. Raises what a server answered if it is not there."""
    if len(answers) < expected:
        raise redis.ConnectionError("too few answers")
    return list(_readable(answers))


def _readable(answers: Sequence[Any]) -> Iterator[Any]:
    for answer in answers:
        if isinstance(answer, redis.ResponseError) and not isinstance(answer, redis.exceptions.ClusterError):
            yield None  # a key of another type, or a command that this server does not have
        elif isinstance(answer, Exception):
            raise answer
        else:
            yield answer
