"""Converts messages, turns and live turns to stored JSON and back.

Any Python string in a message is read back equal, by us and by JavaScript's JSON.parse, even half a surrogate pair.
Bytes that cannot be parsed raise CorruptHistory with the value and the position; we never guess.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any, NoReturn, TypeAlias

import msgspec

from lib import outside_values
from lib.errors import CorruptHistory
from lib.messages import Message
from lib.stored_turns import read_live, read_turn, unreadable_turn
from lib.turns import LiveTurn, Turn

TITLE_LENGTH = 60
"""Longest title of a session, in characters."""
CHECKED_BYTES = 65_536
"""Bytes whose encoding is checked at a time."""

_LIVE_FIELDS = [field.name for field in fields(LiveTurn) if field.name not in ("id", "age", "error")]
_TURN_FIELDS = ["id", *(field.name for field in fields(Turn) if field.name not in ("id", "number"))]
_live_values, _turn_values = attrgetter(*_LIVE_FIELDS), attrgetter(*_TURN_FIELDS)


class _Role(msgspec.Struct, gc=False):
    """The field that every stored message has. msgspec checks and skips the others."""

    role: str


_roles = msgspec.json.Decoder(list[_Role])
_objects = msgspec.json.Decoder(list[msgspec.Raw])

StoredObject: TypeAlias = "msgspec.Raw | dict[str, Any]"
"""A stored message: the bytes of its JSON object, which are parsed when it is first used, or the dict."""


def to_json(value: Any) -> bytes:
    """Compact JSON, as JSON.stringify writes it. Raises ValueError for NaN and infinity, which JSON does not have."""
    options: dict[str, Any] = {"separators": (",", ":"), "allow_nan": False, "default": asdict}
    try:
        return json.dumps(value, ensure_ascii=False, **options).encode()
    except UnicodeEncodeError:  # half a surrogate pair cannot be UTF-8, but JSON can escape it
        return json.dumps(value, **options).encode()


def _to_json_fast(value: Any) -> bytes:
    """Like to_json, but five times faster, and only for values without NaN (msgspec would write null)."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, UnicodeEncodeError):  # a type it does not know, or half a surrogate pair
        return to_json(value)


def from_json(raw: bytes) -> Any:
    """Parse JSON. Raises ValueError, whose position counts characters."""
    try:
        return msgspec.json.decode(raw)
    except ValueError:  # msgspec refuses half a surrogate pair; json reads it, and says where a real error is
        return json.loads(raw.decode(), parse_constant=_no_constant)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def pack_messages(messages: Sequence[Message]) -> bytes:
    """The messages as a JSON array without its brackets, for appending. Raises ValueError for NaN and infinity."""
    if all(isinstance(message.content, str) and not message.extra for message in messages):
        return _to_json_fast([{"role": message.role, "content": message.content} for message in messages])[1:-1]
    return to_json([message.to_dict() for message in messages])[1:-1]


def unpack_messages(raw: bytes, value: bytes) -> Sequence[StoredObject]:
    """Check a JSON array of stored messages and split it: `read_objects` turns the parts into dicts.

    Message.from_dict accepts these dicts.

    Raises CorruptHistory with `value` as its raw bytes.
    """
    try:
        _roles.decode(raw)
        _check_utf8(raw)  # msgspec does not check the encoding of what it skips
        objects = _objects.decode(raw)
        _check_depth(objects, raw, value)
        return objects
    except (ValueError, RecursionError):  # a real error, or half a surrogate pair, which msgspec refuses
        return _read_all(raw, value)


def _check_utf8(raw: bytes) -> None:
    """Raises ValueError. Decodes piece by piece: megabytes at once take three times as long, because of the memory."""
    view, start = memoryview(raw), 0
    while start < len(raw):
        is_last = start + CHECKED_BYTES >= len(raw)
        _, used = codecs.utf_8_decode(view[start : start + CHECKED_BYTES], "strict", is_last)
        start += used


def _check_depth(objects: Sequence[msgspec.Raw], raw: bytes, value: bytes) -> None:
    """Raises CorruptHistory for a message that is nested too deeply. Parses only those that have enough brackets."""
    if raw.count(b"[") + raw.count(b"{") <= len(objects) + outside_values.MOST_LEVELS:
        return
    for place, each in enumerate(objects):
        message = bytes(each)
        if message.count(b"[") + message.count(b"{") > outside_values.MOST_LEVELS:
            try:
                too_deep = outside_values.is_too_deep(from_json(message))
            except RecursionError:
                too_deep = True
            if too_deep:
                raise _too_deep(f"array position {place}", value)


def _too_deep(where: str, value: bytes) -> CorruptHistory:
    what = f"A stored message ({where}) is nested more than {outside_values.MOST_LEVELS} levels deep."
    return CorruptHistory(what, raw=value, where=where)


def read_objects(stored: Sequence[StoredObject]) -> list[dict[str, Any]]:
    """Parse stored messages. Parsing many together takes half the time of parsing them one by one."""
    raws = [each for each in stored if not isinstance(each, dict)]
    read: Iterator[dict[str, Any]] = iter(from_json(b"[" + b",".join(raws) + b"]"))
    return [each if isinstance(each, dict) else next(read) for each in stored]


def _read_all(raw: bytes, value: bytes) -> list[dict[str, Any]]:
    """Parse a whole JSON array of stored messages, slower. Raises CorruptHistory with the place of the error."""
    try:
        array = from_json(raw)
    except RecursionError:
        raise _too_deep(f"within {len(raw)} bytes", value) from None
    except ValueError as exc:
        where = _place(raw, exc)
        raise CorruptHistory(f"The stored history is not JSON ({where}).", raw=value, where=where) from exc
    if not isinstance(array, list):
        kind = {dict: "an object", str: "a string", bool: "true or false"}.get(type(array), "a number or null")
        raise CorruptHistory(f"The stored history is {kind}, not an array of messages.", raw=value, where="byte 0")
    for place, stored in enumerate(array):
        try:
            Message.from_dict(stored)
        except ValueError as exc:
            where = f"array position {place}"
            what = f"The stored history holds no message at {where}: {exc}."
            raise CorruptHistory(what, raw=value, where=where) from exc
        if outside_values.is_too_deep(stored):
            raise _too_deep(f"array position {place}", value)
    return array


def _place(raw: bytes, exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"byte {len(exc.doc[: exc.pos].encode(errors='surrogatepass'))}: {exc.msg}"
    if isinstance(exc, UnicodeDecodeError):
        return f"byte {exc.start}: not UTF-8"
    return f"within {len(raw)} bytes: {exc}"


def pack_turn(turn: Turn) -> bytes:
    """The turn as stored JSON. It begins with the id, by which the scripts recognise a repeated commit."""
    return _to_json_fast(dict(zip(_TURN_FIELDS, _turn_values(turn), strict=True)))


def unpack_turn(raw: bytes, number: int) -> Turn:
    """Parse a stored turn. What cannot be read of it counts as unknown, and its note says so."""
    try:
        return read_turn(json_object(raw), number)
    except (ValueError, TypeError, RecursionError):
        return unreadable_turn(number)


def pack_live(live: LiveTurn) -> bytes:
    """A live turn as JSON without its first two fields, the id and the heartbeat, which the scripts add."""
    error = None if live.error is None else live.error.to_dict()
    record = {"failed": error is not None, "error": error} | dict(zip(_LIVE_FIELDS, _live_values(live), strict=True))
    return _to_json_fast(record)[1:]


def unpack_live(raw: bytes, now: float) -> LiveTurn:
    """Parse a live record. `now` is the store's clock in seconds since the epoch. Raises CorruptHistory."""
    try:
        stored = json_object(raw)
        return read_live(stored, max(0.0, now - float(stored["beat"])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        what = "The record of the message being answered cannot be read."
        raise CorruptHistory(what, raw=raw, where="live record") from exc


def pack_import(first: int, count: int, source: str, whole: bool = False) -> bytes:
    """The record of an import as JSON without its first field, the time, which the script adds."""
    return to_json({"first": first, "count": count, "source": source} | ({"whole": True} if whole else {}))[1:]


def json_object(raw: bytes, kind: type = dict) -> Any:
    """The value, which must be a dict, or a list. Raises TypeError."""
    value = from_json(raw)
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value


def title_of(prompt: str) -> str:
    """A session's title: the first non-blank line of its first prompt, cut between words if possible.

    Example: title_of("What is a token?\\nExplain.") -> "What is a token?"
    """
    beginning = prompt.lstrip()[: 4 * TITLE_LENGTH].splitlines()
    line = " ".join(beginning[0].split()) if beginning else ""
    if len(line) > TITLE_LENGTH:
        cut = line[: TITLE_LENGTH - 1]
        line = (cut.rsplit(" ", 1)[0] if " " in cut[TITLE_LENGTH // 2 :] else cut) + "…"
    return line.encode(errors="replace").decode()
