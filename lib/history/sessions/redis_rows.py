"""Looks up what a list of sessions shows of each, many sessions in one round trip."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from lib.history.client import Client
from lib.history.keys import keys_of
from lib.history.session_index import seconds
from lib.history.sessions import Origin, SessionRow, sums
from lib.history.sessions.stored_about import unpack_belonging
from lib.turns import STALE_AFTER

FIELDS = ("title", "created_at", "settings", "sums", "lineage", "owner", "share", "parent", "session_pinned")
"""Fields of the about hash that a row is made of."""
SETTINGS = ("provider", "model", "strategy")
"""Names of the chat settings that a row shows for a session without turns."""
Parsed = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What the store says of one session. `expires_in` is in milliseconds, negative as PTTL is."""

    session_id: str
    activity: float
    expires_in: int
    length: int
    live: bytes
    fields: Mapping[bytes, bytes | None]

    @property
    def exists(self) -> bool:
        return self.length > 0 or bool(self.live)

    @property
    def title(self) -> str:
        return (self.fields.get(b"title") or b"").decode(errors="replace")


def look_up(client: Client, entries: Sequence[tuple[str, float]]) -> list[Found]:
    """What the store says of these sessions, given as ids with their last activity.

    A key of a wrong type counts as empty. Raises redis-py's error where a server has not answered, e.g. while a node
    of a cluster is replaced.
    """
    pipe = client.pipeline(transaction=False)
    for session_id, _ in entries:
        keys = keys_of(session_id)
        pipe.pttl(keys.history)
        pipe.pttl(keys.about)
        pipe.strlen(keys.history)
        pipe.getrange(keys.live, 0, 512)
        pipe.hmget(keys.about, FIELDS)
    answers = _checked(pipe.execute(raise_on_error=False), 5 * len(entries))
    found = []
    for (session_id, activity), at in zip(entries, range(0, len(answers), 5), strict=True):
        history_left, about_left, length, live, values = answers[at : at + 5]
        fields = dict(zip((name.encode() for name in FIELDS), values or [None] * len(FIELDS), strict=True))
        left = about_left if history_left == -2 else history_left
        found.append(Found(session_id, activity, left, length or (0 if history_left == -2 else 1), live or b"", fields))
    return found


def sizes_of(client: Client, session_ids: Sequence[str]) -> list[int | None]:
    """Bytes of memory of each session's keys; None where the server does not say."""
    pipe = client.pipeline(transaction=False)
    for session_id in session_ids:
        keys = keys_of(session_id)
        for key in (keys.history, keys.turns, keys.live, keys.about):
            pipe.memory_usage(key)
    answers = pipe.execute(raise_on_error=False)
    sizes: list[int | None] = []
    for at in range(0, 4 * len(session_ids), 4):
        known = [each for each in answers[at : at + 4] if isinstance(each, int)]
        sizes.append(sum(known) if known else None)
    return sizes


def row_of(found: Found, now: float, held: sums.Sums | None) -> SessionRow:
    """The row of a session. `held` are its sums, `now` is the store's time in seconds since the epoch."""
    owner, share, parent, pinned = unpack_belonging(found.fields)
    known = held if held is not None else sums.Sums()
    settings = _parsed(found.fields.get(b"settings"))
    chosen = (str(settings.get(name, "")) for name in SETTINGS)
    provider, model, strategy = (part or other for part, other in zip(known.last, chosen, strict=True))
    return SessionRow(
        found.session_id,
        found.title,
        provider,
        model,
        strategy,
        messages=None if held is None else known.messages,
        turns=known.turns,
        usage=known.usage,
        created_at=_number(found.fields.get(b"created_at")),
        last_activity=found.activity,
        expires_in=seconds(found.expires_in),
        origin=_origin(found, known),
        pinned=pinned,
        turns_with_dropped=known.dropped,
        interrupted=_is_interrupted(found.live, now),
        stopped=known.stopped,
        parent=parent,
        owner=owner,
        share=share,
    )


def stored_sums(found: Found) -> sums.Sums | None:
    """The sums that are kept with a session; None if there are none, or the messages changed since."""
    stored = _parsed(found.fields.get(b"sums"))
    if not stored or ("messages" not in stored and found.length) or stored.get("size", 0) != found.length:
        return None
    try:
        return sums.Sums.from_dict(stored)
    except (ValueError, TypeError, AttributeError):
        return None


def _origin(found: Found, known: sums.Sums) -> Origin:
    if not found.fields.get(b"lineage") and found.length:
        return "service"
    stored = _parsed(found.fields.get(b"sums"))
    if stored and stored.get("size", 0) != found.length:
        return "service"
    return "import" if known.imported else "here"


def _is_interrupted(live: bytes, now: float) -> bool:
    """Whether a live record, given by its beginning, failed or has no owner any more."""
    if not live:
        return False
    beat = re.search(rb'"beat":([\d.]+)', live)
    return b'"failed":true' in live or beat is None or now - float(beat[1]) > STALE_AFTER


def _parsed(value: bytes | None) -> Parsed:
    """A stored JSON object; an empty one if it cannot be read."""
    try:
        held = json.loads(value or b"{}")
    except (ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def _number(value: bytes | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _checked(answers: Sequence[Any], expected: int) -> list[Any]:
    """The answers, None for keys of a wrong type. Raises what a server answered otherwise."""
    if len(answers) < expected:
        raise redis.ConnectionError("too few answers")
    return [None if "WRONGTYPE" in str(each) else each for each in _raised(answers)]


def _raised(answers: Sequence[Any]) -> Iterator[Any]:
    for place, answer in enumerate(answers):
        if isinstance(answer, Exception) and "WRONGTYPE" not in str(answer):
            raise answer
        if answer is None and place % 5 in (0, 1):
            raise redis.ConnectionError("no answer")
        yield answer


def server_time(client: Client) -> float:
    """The server's clock in seconds since the epoch; this machine's where a cluster has many."""
    answer = client.time()
    return time.time() if isinstance(answer, dict) else answer[0] + answer[1] / 1e6
