"""What is stored, as bytes: messages, turns and live records to JSON and back.

The rule: whatever Python text a message holds, half a surrogate pair included, is read back equal, by us and by
JavaScript's JSON.parse. What cannot be read raises CorruptHistory with the value and the place, and is never guessed at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import orjson

from lib.context.plan import Summary
from lib.errors import CorruptHistory
from lib.history import About
from lib.messages import Message
from lib.turns import LiveTurn, Turn

TITLE_LENGTH = 60
"""Characters of a session's name."""


def to_json(value: Any) -> bytes:
    """Compact JSON, as JSON.stringify writes it. Raises ValueError for NaN and infinities, which JSON does not have."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair has no UTF-8, but it has an escape
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def from_json(raw: bytes) -> Any:
    """Read JSON. Raises ValueError; a position in it counts characters."""
    try:
        return orjson.loads(raw)
    except ValueError:  # orjson refuses half a surrogate pair; json reads it, and says where something is really wrong
        return json.loads(raw.decode(), parse_constant=_no_constant)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def pack_messages(messages: Iterable[Message]) -> bytes:
    """The array's inside, without its brackets: what an append adds."""
    return to_json([message.to_dict() for message in messages])[1:-1]


def unpack_messages(raw: bytes, value: bytes) -> tuple[Message, ...]:
    """Messages of a JSON array. Raises CorruptHistory, which shows `value`."""
    try:
        array = from_json(raw)
    except (ValueError, RecursionError) as exc:
        where = _place(raw, exc)
        raise CorruptHistory(f"The stored history is not JSON ({where}).", raw=value, where=where) from exc
    if not isinstance(array, list):
        kind = {dict: "an object", str: "a string", bool: "true or false"}.get(type(array), "a number or null")
        raise CorruptHistory(f"The stored history is {kind}, not an array of messages.", raw=value, where="byte 0")
    read = Message.from_dict
    messages: list[Message] = []
    try:
        for stored in array:
            messages.append(read(stored))  # not a comprehension: how far it came is the position
    except ValueError as exc:
        where = f"array position {len(messages)}"
        raise CorruptHistory(f"The stored history holds no message at {where}: {exc}.", raw=value, where=where) from exc
    return tuple(messages)


def _place(raw: bytes, exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"byte {len(exc.doc[: exc.pos].encode(errors='surrogatepass'))}: {exc.msg}"
    if isinstance(exc, UnicodeDecodeError):
        return f"byte {exc.start}: not UTF-8"
    return f"within {len(raw)} bytes: {str(exc) or 'nested too deeply'}"


def pack_turn(turn: Turn) -> tuple[bytes, bytes]:
    """How the stored turn starts (its id, to recognise it by), and the whole of it."""
    start = b'{"id":' + to_json(turn.id) + b","
    stored = turn.to_dict()
    del stored["id"]
    return start, start + to_json(stored)[1:]


def unpack_turn(raw: bytes, number: int) -> Turn:
    """One entry of the turns. Raises CorruptHistory, naming the entry."""
    try:
        return Turn.from_dict(_object(raw), number)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        where = f"turn {number}"
        raise CorruptHistory(f"The record of {where} cannot be read.", raw=raw, where=where) from exc


def pack_live(live: LiveTurn) -> bytes:
    """The record without its first two fields: its id, and the heartbeat that only the store can give."""
    stored = live.to_dict()
    del stored["id"]
    return to_json({"failed": live.error is not None, **stored})[1:]


def unpack_live(raw: bytes, now: float) -> LiveTurn:
    """A live record read at this time by the store's clock (seconds). Raises CorruptHistory."""
    try:
        stored = _object(raw)
        return LiveTurn.from_dict(stored, max(0.0, now - float(stored["beat"])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        what = "The record of the message being answered cannot be read."
        raise CorruptHistory(what, raw=raw, where="live record") from exc


def unpack_about(fields: Mapping[bytes, bytes]) -> About:
    """What is kept beside the messages. Raises CorruptHistory."""
    try:
        created = fields.get(b"created_at")
        return About(
            fields.get(b"title", b"").decode(errors="replace"),
            None if created is None else float(created),
            _object(fields.get(b"settings", b"{}")),
            _marked(fields, b"muted:"),
            _marked(fields, b"pinned:"),
            _summaries(fields.get(b"summaries", b"[]")),
            _object(fields.get(b"handles", b"{}")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raw = fields.get(b"settings", b"")
        raise CorruptHistory("What is kept about this session cannot be read.", raw=raw, where="about") from exc


def _marked(fields: Mapping[bytes, bytes], mark: bytes) -> frozenset[int]:
    return frozenset(int(name.removeprefix(mark)) for name in fields if name.startswith(mark))


def _summaries(raw: bytes) -> tuple[Summary, ...]:
    stored = from_json(raw)
    if not isinstance(stored, list):
        raise TypeError(f"expected a list, found {type(stored).__name__}")
    return tuple(Summary.from_dict(each) for each in stored)


def _object(raw: bytes) -> dict[str, Any]:
    value = from_json(raw)
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, found {type(value).__name__}")
    return value


def title_of(prompt: str) -> str:
    """A session's name: the first line of its first prompt that holds anything, cut at a word where there is one.

    Example: title_of("What is a token?\\nExplain.") -> "What is a token?"
    """
    line = next((" ".join(line.split()) for line in prompt.splitlines() if line.strip()), "")
    if len(line) > TITLE_LENGTH:
        cut = line[: TITLE_LENGTH - 1]
        line = (cut.rsplit(" ", 1)[0] if " " in cut[TITLE_LENGTH // 2 :] else cut) + "…"
    return line.encode(errors="replace").decode()
