"""Compares two conversations turn by turn: which questions they share, and where requests and replies differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

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

    `prompt` and `reply` are their texts alone; `messages` are the stored messages, which may hold tool calls, results
    and images too. `record` says what was sent for it, or, without a turn, what would have been if nothing was dropped.
    """

    number: int
    prompt: str
    reply: str
    record: RequestRecord
    messages: Sequence[Message]

    @property
    def beside(self) -> tuple[Part, ...]:
        """What was said without words: calls, results and images. The ids of calls tell nothing and are left out."""
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
        """Whether one is missing, or question or reply differ, in their texts or in calls, results and images."""
        left, right = self.left, self.right
        if left is None or right is None or (left.prompt, left.reply) != (right.prompt, right.reply):
            return True
        return left.beside != right.beside


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
    """The exchanges of one conversation. A reply in several messages becomes one text."""
    found = []
    for number, record in enumerate(records_of(history, turns), 1):
        prompt, *replies = messages = [history[at] for at in (record.at, *record.reply)]
        reply = "\n\n".join(text for text in map(words_said, replies) if text)
        found.append(Exchange(number, words_said(prompt), reply, record, messages))
    return found


def words_said(message: Message) -> str:
    """The texts of a message that a person or a model wrote, without what tools, images and reasoning are.

    Example: content [a text, an image] -> the text
    """
    if isinstance(message.content, str) and message.role in ("user", "assistant"):
        return message.content
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
