"""Reads the fields of a table in a lesson's file, and collects what is wrong with them by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

Choice = TypeVar("Choice", bound=str)
LONGEST_TEXT = 20_000
"""Characters."""


class Problems:
    """What is wrong in a file, in words with their places. Every field is looked at, so that all is said at once."""

    def __init__(self) -> None:
        self.found: list[str] = []


class Fields:
    """One table of the file. `place` is where it is, for people: "" for the file itself, "arms 2" for the second arm.

    A field that is missing or wrong is noted in `problems`, and read as an empty value of its kind. With a fallback, a
    field that is missing is read from there.
    """

    def __init__(self, place: str, values: Mapping[str, Any], problems: Problems) -> None:
        self.place = place
        self._values = values
        self._problems = problems
        self._read: set[str] = set()

    def wrong(self, name: str, words: str) -> None:
        """Note what is wrong with a field."""
        self._problems.found.append(f"{f'{self.place}, ' if self.place else ''}“{name}” {words}")

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        self._read.add(name)
        return name in self._values

    def text(self, name: str, fallback: Fields | None = None, default: str | None = None) -> str:
        """A text without blanks around it."""
        value = self._value(name, fallback, default)
        if value is None:
            return ""
        if not isinstance(value, str) or (default is None and not value.strip()):
            self.wrong(name, "must be a text")
            return ""
        if len(value) > LONGEST_TEXT:
            self.wrong(name, f"has {len(value):,} characters, and may have {LONGEST_TEXT:,}")
        return value.strip()

    def texts(self, name: str, most: int, *, fewest: int = 1, fallback: Fields | None = None) -> tuple[str, ...]:
        """A list of texts."""
        value = self._value(name, fallback, [] if fewest == 0 else None)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
            self.wrong(name, "must be a list of texts")
            return ()
        if not fewest <= len(value) <= most:
            self.wrong(name, f"must have {fewest} to {most} texts, not {len(value)}")
        return tuple(each.strip() for each in value)

    def whole(self, name: str, least: int, most: int, fallback: Fields | None = None) -> int:
        """A whole number in these bounds."""
        value = self._value(name, fallback, None)
        if value is None:
            return 0
        if type(value) is not int or not least <= value <= most:
            self.wrong(name, f"must be a whole number from {least:,} to {most:,}")
            return 0
        return value

    def yes(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._value(name, None, default)
        if not isinstance(value, bool):
            self.wrong(name, "must be true or false")
            return default
        return value

    def one_of(self, name: str, choices: Sequence[Choice], fallback: Fields | None = None) -> Choice:
        """One of these words."""
        value = self._value(name, fallback, None)
        chosen = next((each for each in choices if each == value), None)
        if chosen is None and value is not None:
            self.wrong(name, f"must be one of {', '.join(choices)}")
        return chosen if chosen is not None else choices[0]

    def table(self, name: str, *, may_be_missing: bool = False) -> Fields:
        """A table in this one."""
        value = self._value(name, None, {} if may_be_missing else None)
        if value is not None and not isinstance(value, dict):
            self.wrong(name, "must be a table")
        return Fields(f"[{name}]", value if isinstance(value, dict) else {}, self._problems)

    def tables(self, name: str, most: int) -> list[Fields]:
        """A list of tables, at least one."""
        value = self._value(name, None, None)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value) or not value:
            self.wrong(name, f"must be tables, each with a line [[{name}]] above it")
            return []
        if len(value) > most:
            self.wrong(name, f"must be at most {most}, not {len(value)}")
        return [Fields(f"[[{name}]] {at}", each, self._problems) for at, each in enumerate(value[:most], 1)]

    def refuse_others(self) -> None:
        """Note every field that nobody asked for: it may be a name with a slip in it."""
        for name in self._values:
            if name not in self._read:
                self.wrong(name, "is not a field of a lesson")

    def _value(self, name: str, fallback: Fields | None, default: Any) -> Any:
        """The field's value, else the fallback's, else the default. Notes a field that must be there."""
        if self.has(name):
            return self._values[name]
        if fallback is not None and fallback.has(name):
            return fallback._values[name]
        if default is None:
            self.wrong(name, "is missing" if fallback is None else f"is missing, here and in {fallback.place}")
        return default
