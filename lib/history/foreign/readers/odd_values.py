"""Checks what other libraries stored, and makes visible messages of what cannot be read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from lib import outside_values
from lib.errors import CorruptHistory
from lib.history.foreign.access import Part, Wrong
from lib.history.serialization import from_json
from lib.messages import Message

UNREADABLE = "unreadable"
"""The role of a message that stands for something that could not be read."""
SHOWN = 500
"""Bytes of such a thing that are shown."""
MOST_VALUES = 2_000_000
"""Values in one JSON text."""
_MAY_BE_INFINITE = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{300}")
"""Numbers that Python may read as infinity, which cannot be stored."""


def unreadable(why: str, raw: bytes = b"") -> Message:
    """A message that says what could not be read, with the beginning of it."""
    beginning = raw[:SHOWN].decode(errors="backslashreplace") + ("…" if len(raw) > SHOWN else "")
    return Message(UNREADABLE, f"({why})\n{beginning}".rstrip())


def parsed(raw: bytes) -> Any:
    """The value of a JSON text. Raises ValueError if it is not JSON, too long or nested too deeply."""
    if raw.count(b",") > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES:,} values")
    try:
        if _MAY_BE_INFINITE.search(raw):
            json.loads(raw.decode(), parse_float=_finite)
        return from_json(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _finite(digits: str) -> float:
    """A float that can be written as JSON again. Raises ValueError."""
    if not math.isfinite(number := float(digits)):
        raise ValueError("a number that is too large")
    return number


def json_object(part: Part) -> dict[str, Any] | Message:
    """The JSON object in a stored piece, or the message that stands for what is there instead."""
    if isinstance(part, Wrong):
        return unreadable(f"A stored piece cannot be read: {part.what}.")
    if isinstance(part, Mapping):
        return unreadable("A stored piece is a hash, and not JSON.")
    try:
        value = parsed(part)
    except ValueError:
        return unreadable("A stored piece is not JSON that can be read.", part)
    if not isinstance(value, dict):
        return unreadable("A stored piece is not an object.", part)
    return too_deep() if outside_values.is_too_deep(value) else value


def too_deep() -> Message:
    """The message that stands for one that is nested too deeply."""
    return unreadable(f"A stored piece is nested more than {outside_values.MOST_LEVELS} levels deep.")


def json_text(parts: tuple[Part, ...] | list[Part]) -> Any:
    """The value of a conversation that is one JSON text. Raises CorruptHistory, which holds the text."""
    raw = next((part for part in parts if isinstance(part, bytes)), b"")
    try:
        return parsed(raw)
    except ValueError as exc:
        what = "What is stored for this conversation is not JSON that can be read."
        raise CorruptHistory(what, raw=raw, where=f"within {len(raw):,} bytes") from exc


def role_of(value: Any) -> str:
    """A role, or what stands for one that is missing."""
    return outside_values.word(value) or UNREADABLE


def without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something: not null, and not an empty text, list or object."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {})}
