"""Compares two requests message by message: which were kept, removed, changed and added."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from lib.messages import Message

RowKind = Literal["kept", "removed", "changed", "added"]


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One message. `index` is its position in the first request; for an added message, in the second."""

    kind: RowKind
    index: int
    text: str
    was: str | None = None
    """The earlier text of a changed message."""


def diff_rows(before: Sequence[Message], after: Sequence[Message]) -> list[DiffRow]:
    """The rows from one request to the other. Every message of both is in exactly one row, in the order they are sent.

    Example: diff_rows([assistant("Hi"), user("q")], [user("q")])
    -> [DiffRow("removed", 0, "assistant: Hi"), DiffRow("kept", 1, "user: q")]
    """
    old, new = ([_compact_json(message.to_dict()) for message in messages] for messages in (before, after))
    rows: list[DiffRow] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            rows += [DiffRow("kept", index, line(before[index])) for index in range(i, j)]
        else:
            rows += _different(before, after, range(i, j), range(k, m))
    return rows


def line(message: Message) -> str:
    """A message as one line: role, content and further fields.

    Example: line(user("Why?")) -> "user: Why?"
    """
    content = message.content if isinstance(message.content, str) else _compact_json(message.content)
    content = content if message.has_content else "(no content)"
    extra = f" {_compact_json(dict(message.extra))}" if message.extra else ""
    return f"{message.role}: {content}{extra}"


def _compact_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _different(before: Sequence[Message], after: Sequence[Message], old: range, new: range) -> Iterator[DiffRow]:
    """Pair old and new messages of the same role, in order, as changed; the others were removed or added."""
    unpaired = iter(old)
    for index in new:
        match, skipped = _next_of_role(before, unpaired, after[index].role)
        if match is None:
            yield DiffRow("added", index, line(after[index]))
            unpaired = iter(skipped)
            continue
        yield from (DiffRow("removed", other, line(before[other])) for other in skipped)
        yield DiffRow("changed", match, line(after[index]), line(before[match]))
    yield from (DiffRow("removed", other, line(before[other])) for other in unpaired)


def _next_of_role(before: Sequence[Message], indexes: Iterator[int], role: str) -> tuple[int | None, list[int]]:
    """The next index with a message of this role, None if there is none, and the indexes before it."""
    skipped: list[int] = []
    for index in indexes:
        if before[index].role == role:
            return index, skipped
        skipped.append(index)
    return None, skipped
