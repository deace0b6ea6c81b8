"""A conversation while it is read: its messages, and what of them could not come in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lib import outside_values
from lib.messages import Message
from lib.transfer import Conversation, Effect, Problem, limits

ROLE_LENGTH = 64
"""Longest role, in characters."""


class Draft:
    """Collects messages and problems. `where` is its place in the file, which begins the places of messages."""

    def __init__(self, where: str, title: Any = "", created_at: Any = None, branch: str = "") -> None:
        self.where = where
        self.messages: list[Message] = []
        self._title = outside_values.word(title) or ""
        self._created_at = seconds(created_at)
        self._branch = branch
        self._problems: list[Problem] = []
        self._more = 0

    def add(self, stored: Mapping[str, Any], at: str) -> None:
        """Add a message as it will be stored. One that could not be read back is skipped with its reason."""
        role = stored.get("role")
        why = why_not(stored)
        if why:
            self.skip(at, role, why)
        elif len(self.messages) >= limits.MOST_MESSAGES:
            self.refuse(f"more than {limits.MOST_MESSAGES:,} messages")
        else:
            self.messages.append(Message.from_dict(stored))

    def lose(self, at: str, role: Any, reason: str) -> None:
        """Note a part of a message that cannot come in."""
        self._note(at, role, reason, "lost")

    def skip(self, at: str, role: Any, reason: str) -> None:
        """Note a message that does not come in."""
        self._note(at, role, reason, "skipped")

    def refuse(self, reason: str, at: str = "") -> None:
        """Note that the whole conversation cannot come in."""
        if not any(each.effect == "refused" for each in self._problems):
            self._problems.insert(0, Problem(self._at(at), "", reason, "refused"))

    def done(self) -> Conversation:
        """The conversation. One without messages is refused."""
        if not self.messages:
            first = next((f"{each.reason} ({each.where})" for each in self._problems), "")
            self.refuse(f"no message of it can come in: {first}" if first else "no messages in it")
        return Conversation(
            self._title, self.messages, self._created_at, self._branch, tuple(self._problems), self._more
        )

    def _note(self, at: str, role: Any, reason: str, effect: Effect) -> None:
        if len(self._problems) >= limits.MOST_PROBLEMS:
            self._more += 1
        else:
            shown = outside_values.word(role) or ""
            self._problems.append(Problem(self._at(at), shown[:ROLE_LENGTH], reason, effect))

    def _at(self, at: str) -> str:
        return f"{self.where}, {at}" if self.where and at else self.where or at or "the file"


def why_not(stored: Any) -> str:
    """Why this value cannot be stored as a message; empty if it can."""
    if not isinstance(stored, Mapping):
        return f"it is {outside_values.shown(stored)}, not an object with role and content"
    role = stored.get("role")
    if not isinstance(role, str) or not role.strip() or len(role) > ROLE_LENGTH:
        return f"its role is {outside_values.shown(role)}"
    content = stored.get("content")
    if content is not None and not isinstance(content, str | list):
        return f"its content is {outside_values.shown(content)}, not a text or a list of parts"
    if outside_values.is_too_deep(stored):
        return f"it is nested more than {outside_values.MOST_LEVELS} levels deep"
    return ""


def seconds(value: Any) -> float | None:
    """A time in seconds since the epoch, from seconds, milliseconds or ISO 8601; None for anything else.

    Example: seconds(1700000000), seconds(1700000000000), seconds("2023-11-14T22:13:20Z") -> 1700000000.0
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    number = outside_values.number(value)
    if number is not None and number > 10**11:  # later than the year 5138 in seconds, so these are milliseconds
        number /= 1000
    return outside_values.moment(number)


def objects(value: Any) -> list[tuple[int, Any]]:
    """The elements of a list with their places; none for anything else."""
    return list(enumerate(value)) if isinstance(value, list) else []


def text_of(parts: Any, separator: str = "\n\n") -> str:
    """The text in a list of text parts, or in a string.

    Example: text_of([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]) -> "a\\n\\nb"
    """
    if isinstance(parts, str):
        return parts
    texts = [part if isinstance(part, str) else fields(part).get("text") for _, part in objects(parts)]
    return separator.join(text for text in texts if isinstance(text, str) and text)


def fields(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, otherwise an empty one."""
    return value if isinstance(value, Mapping) else {}
