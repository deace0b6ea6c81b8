"""Finds what Python's json accepts and we do not, and names its path.

The hooks put a marker in the place of an odd value, because they do not know where they are. It is found afterwards.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lib.transfer import limits

HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
PATH_LENGTH = 120
"""Longest path that is shown, in characters."""

Link = tuple[Any, str]
"""A step of a path: the step before (None at the beginning) and this one as text."""


@dataclass(frozen=True, slots=True)
class Odd:
    """Stands for a value that we refuse."""

    words: str


class Hooks:
    """Hooks for json.JSONDecoder. `found` is set when one has left a marker."""

    def __init__(self) -> None:
        self.found = False

    def object(self, pairs: list[tuple[str, Any]]) -> Any:
        """The object of these pairs, or a marker."""
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        return self._odd(f"has the key “{twice[:40]}” twice")

    def float(self, written: str) -> Any:
        """The number, or a marker if it is infinite."""
        number = float(written)
        return number if math.isfinite(number) else self._odd(f"is {written[:20]}, which is too large")

    def constant(self, written: str) -> Any:
        """A marker for NaN, Infinity and -Infinity."""
        return self._odd(f"is {written}, which is not JSON")

    def _odd(self, words: str) -> Odd:
        self.found = True
        return Odd(words)

    def what_is_odd(self, value: Any, text: str, *, halves: bool) -> str:
        """What is wrong in a parsed value, with its path; empty if nothing is. `text` is what it was parsed from.

        Example: [{"a": NaN}] -> "[0].a is NaN, which is not JSON"
        """
        if text.count("[") + text.count("{") > limits.MOST_LEVELS and _is_deep(value):
            return f"it is nested more than {limits.MOST_LEVELS} levels deep"
        look_for_halves = not halves and HALF_PAIR.search(text) is not None
        if not self.found and not look_for_halves:
            return ""
        for link, inner in _walk(value):
            if isinstance(inner, Odd):
                return f"{_path(link)} {inner.words}"
            if look_for_halves and isinstance(inner, str) and _is_half(inner):
                return f"{_path(link)} holds half a surrogate pair, which is no character"
        return ""


def _is_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(limits.MOST_LEVELS):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _walk(value: Any) -> Iterator[tuple[Link | None, Any]]:
    """Every value inside, and every key, with its path. Does not recurse."""
    waiting: list[tuple[Link | None, Any]] = [(None, value)]
    while waiting:
        link, inner = waiting.pop()
        yield link, inner
        if isinstance(inner, dict):
            yield from ((link, name) for name in inner)
            waiting += [((link, f".{name}"), each) for name, each in reversed(inner.items())]
        elif isinstance(inner, list):
            waiting += [((link, f"[{place}]"), each) for place, each in reversed(list(enumerate(inner)))]


def _path(link: Link | None) -> str:
    parts: list[str] = []
    while link is not None:
        link, part = link
        parts.append(part.encode(errors="replace").decode())
    path = "".join(reversed(parts)).removeprefix(".") or "the value"
    return path if len(path) <= PATH_LENGTH else f"…{path[-PATH_LENGTH:]}"
