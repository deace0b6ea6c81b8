"""Two requests line by line, as data to draw: what was kept, removed, changed and added.

The rule: every message of both requests is in exactly one row, and rows stand in the order a person reads them: what is gone
where it was, what is new where it is. It leaves out colours and signs, and why anything changed (`Repair.changes`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from lib.messages import Message

RowKind = Literal["kept", "removed", "changed", "added"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `index` is the position in the request before; for an added message the one after."""

    kind: RowKind
    index: int
    text: str
    was: str | None = None
    """What a changed message said before."""


def compared(before: Sequence[Message], after: Sequence[Message]) -> list[Row]:
    """The rows from one request to the other.

    Example: compared([assistant("Hi"), user("q")], [user("q")]) -> [Row("removed", 0, "assistant: Hi"), Row("kept", 1, "user: q")]
    """
    old, new = ([_compact(message.to_dict()) for message in messages] for messages in (before, after))
    rows: list[Row] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            rows += [Row("kept", at, line(before[at])) for at in range(i, j)]
        else:
            rows += _replaced(before, after, range(i, j), range(k, m))
    return rows


def line(message: Message) -> str:
    """A message as one row says it: who, what, and what stands beside it.

    Example: line(user("Why?")) -> "user: Why?"
    """
    said = message.content if isinstance(message.content, str) else _compact(message.content)
    said = said if message.has_content else "(no content)"
    return f"{message.role}: {said}" + (f" {_compact(dict(message.extra))}" if message.extra else "")


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _replaced(before: Sequence[Message], after: Sequence[Message], gone: range, come: range) -> Iterator[Row]:
    """Messages of the same role are one that changed, in order; the others went or came."""
    places = iter(gone)
    for at in come:
        place, passed = _next_of_role(before, places, after[at].role)
        if place is None:  # nothing of this role is left: those passed over wait for the next one
            yield Row("added", at, line(after[at]))
            places = iter(passed)
            continue
        yield from (Row("removed", other, line(before[other])) for other in passed)
        yield Row("changed", place, line(after[at]), line(before[place]))
    yield from (Row("removed", other, line(before[other])) for other in places)


def _next_of_role(before: Sequence[Message], places: Iterator[int], role: str) -> tuple[int | None, list[int]]:
    passed: list[int] = []
    for place in places:
        if before[place].role == role:
            return place, passed
        passed.append(place)
    return None, passed
