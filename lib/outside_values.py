"""Checks values that come from outside: from a provider's answer, or from a store that other services write to.

Each function returns the value as the type that the app works with, or None if it is something else. None of
them raises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MOST_LEVELS = 100
"""How deeply a stored JSON value may be nested. Python gives up at about 1,000 calls, some of which are taken."""
MOST_COUNTED = 10**12
"""Tokens, messages and the like. More than this is not a count."""
LATEST = 253_402_300_799.0
"""The end of the year 9999, in seconds since the epoch."""
WORD_LENGTH = 200
"""Longest name, in characters: of a model, a stop reason, a request."""


def count(value: Any) -> int | None:
    """A whole number from 0 up.

    Example: count(12) -> 12; count(12.0) -> 12; count(-1), count("12"), count(True) -> None
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= MOST_COUNTED else None


def number(value: Any) -> float | None:
    """A finite number, as a float. Example: number(3) -> 3.0; number("3"), number(float("nan")) -> None"""
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > 1e300:
        return None
    return float(value) if math.isfinite(value) else None


def moment(value: Any) -> float | None:
    """A time between 1970 and the year 9999, in seconds since the epoch."""
    seconds = number(value)
    return seconds if seconds is not None and 0 <= seconds <= LATEST else None


def text(value: Any) -> str | None:
    """A string of any length."""
    return value if isinstance(value, str) else None


def word(value: Any) -> str | None:
    """A short string on one line, cut to WORD_LENGTH characters; None if nothing is left of it.

    Example: word(" gpt-5 ") -> "gpt-5"; word({"a": 1}), word("") -> None
    """
    if not isinstance(value, str):
        return None
    return " ".join(value[: 4 * WORD_LENGTH].split())[:WORD_LENGTH] or None


def mapping(value: Any) -> Mapping[str, Any] | None:
    """A JSON object that is not nested too deeply."""
    return value if isinstance(value, Mapping) and not is_too_deep(value) else None


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects are nested more than MOST_LEVELS deep. Does not recurse."""
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list | tuple)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list | tuple)
        ]
        if not level:
            return False
    return True


def shown(value: Any) -> str:
    """A value in a few characters, for a sentence about it. Example: shown({"a": 1}) -> "an object" """
    if isinstance(value, str):
        return f"“{value[:24]}…”" if len(value) > 24 else f"“{value}”"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    if not isinstance(value, int | float):
        return f"a {type(value).__name__}"
    return f"{value:.6g}" if abs(value) < MOST_COUNTED else "a number out of range"
