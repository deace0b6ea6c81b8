"""Compares two conversations turn by turn: which questions they share, and where requests and replies differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

from lib.analysis.parts.sent_again import times_sent_again
from lib.analysis.requests import RequestRecord, records_of
from lib.message_parts import Part, Reasoning, Text, ToolCall, ToolResult, parts_of
from lib.messages import Message
from lib.turns import Turn

MOST_WORDS = 600
"""Words of a text that are compared one by one. Longer texts are compared line by line, which is faster."""

Change = Literal["same", "removed", "added"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question with its reply. `number` counts the conversation's exchanges from 1.

    `record` says what was sent for it, or, without a turn, what would have been if nothing was dropped.
    """

    number: int
    prompt: str
    reply: str
    record: RequestRecord
    messages: tuple[Message, ...] = ()
    """The question, then the reply, which may be several messages, such as tool calls and their results."""
    again: tuple[int, ...] = ()
    """How often each of them was sent again; empty where no turn was recorded."""

    @property
    def beside_texts(self) -> tuple[Part, ...]:
        """What it holds beside texts: calls, results, images. Without ids, which are new in every reply."""
        parts = (part for message in self.messages for part in parts_of(message))
        return tuple(_without_id(part) for part in parts if not isinstance(part, Text | Reasoning))

    @property
    def sent(self) -> int:
        """Stored messages in its request."""
        return sum(stop - start for start, stop, included, _ in self.record.runs if included)

    @property
    def dropped(self) -> int:
        """Stored messages that its request did not hold."""
        return sum(stop - start for start, stop, included, _ in self.record.runs if not included)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two exchanges that stand side by side; None where one conversation has nothing to match the other."""

    left: Exchange | None
    right: Exchange | None

    @property
    def differs(self) -> bool:
        """Whether one is missing, or question or reply differ. Reasoning is not compared: it is part of neither."""
        left, right = self.left, self.right
        if left is None or right is None:
            return True
        same = (left.prompt, left.reply, left.beside_texts) == (right.prompt, right.reply, right.beside_texts)
        return not same


def side_by_side(
    left: Sequence[Message], left_turns: Sequence[Turn], right: Sequence[Message], right_turns: Sequence[Turn]
) -> list[Pair]:
    """Pair the exchanges of two conversations, in order. Equal questions stand side by side.

    Where questions differ, the first of one side stands beside the first of the other, because an edited question is
    meant to be compared with the original.
    Example: questions a, b, c and a, x, c -> pairs (a, a), (b, x), (c, c)
    """
    lefts, rights = exchanges(left, left_turns), exchanges(right, right_turns)
    matcher = SequenceMatcher(None, [e.prompt for e in lefts], [e.prompt for e in rights], autojunk=False)
    pairs = []
    for _, left_start, left_stop, right_start, right_stop in matcher.get_opcodes():
        for step in range(max(left_stop - left_start, right_stop - right_start)):
            at_left, at_right = left_start + step, right_start + step
            pairs.append(
                Pair(
                    lefts[at_left] if at_left < left_stop else None, rights[at_right] if at_right < right_stop else None
                )
            )
    return pairs


def exchanges(history: Sequence[Message], turns: Sequence[Turn]) -> list[Exchange]:
    """The exchanges of one conversation. The texts of a reply in several messages become one."""
    again = times_sent_again(turns, len(history)) if turns else []
    found = []
    for number, record in enumerate(records_of(history, turns), 1):
        places = (record.at, *record.reply)
        messages = tuple(history[at] for at in places)
        reply = "\n\n".join(filter(None, map(_texts, messages[1:])))
        times = tuple(again[at] for at in places) if again else ()
        found.append(Exchange(number, _texts(messages[0]), reply, record, messages, times))
    return found


def _texts(message: Message) -> str:
    return "\n\n".join(part.text for part in parts_of(message) if isinstance(part, Text))


def _without_id(part: Part) -> Part:
    if isinstance(part, ToolCall):
        return replace(part, id="")
    return replace(part, call_id="") if isinstance(part, ToolResult) else part


def text_changes(before: str, after: str) -> list[tuple[Change, str]]:
    """What to remove and add to get from one text to the other, in order, as pieces of text.

    The pieces that are not "added" make up `before`; those that are not "removed" make up `after`.
    Example: ("a red car", "a blue car") -> [("same", "a "), ("removed", "red"), ("added", "blue"), ("same", " car")]
    """
    old, new = _pieces(before), _pieces(after)
    if max(len(old), len(new)) > 2 * MOST_WORDS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    changes: list[tuple[Change, str]] = []
    for kind, old_start, old_stop, new_start, new_stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            changes.append(("same", "".join(old[old_start:old_stop])))
            continue
        if old_stop > old_start:
            changes.append(("removed", "".join(old[old_start:old_stop])))
        if new_stop > new_start:
            changes.append(("added", "".join(new[new_start:new_stop])))
    return changes


def _pieces(text: str) -> list[str]:
    """Words and the blanks between them. Together they are the text."""
    return re.findall(r"\s+|[^\s]+", text)
