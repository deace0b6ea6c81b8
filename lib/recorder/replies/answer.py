"""What is recorded of an answer, and what a reader of one protocol must do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lib.message_parts import Reasoning, part_of
from lib.messages import Message, Usage
from lib.providers import MOST_CHARACTERS


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was read. `messages` are to be stored; none if the server refused the request."""

    messages: tuple[Message, ...] = ()
    text: str = ""
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    stop_reason: str | None = None
    response_id: str = ""
    complete: bool = False
    """Whether the server said that it is complete."""
    reasoning: str = ""
    """The reasoning that can be read."""
    cache_diagnosis: Mapping[str, Any] = field(default_factory=dict)
    """What the server said about its prompt cache, as it came; empty if nothing."""
    note: str = ""
    """What cannot be used of it, or why there is none, as sentences for people."""


def readable_reasoning(parts: Iterable[Mapping[str, Any]]) -> str:
    """The reasoning in an answer's blocks or items that can be read; empty if there is none, or if it is hidden.

    Example: [a thinking block "Hm.", redacted thinking, a text] -> "Hm."
    """
    found = [part.text for part in map(part_of, parts) if isinstance(part, Reasoning) and part.text]
    return "\n\n".join(found)[:MOST_CHARACTERS]


class AnswerProtocol(Protocol):
    """Collects one answer in one vendor's protocol. Every method may raise ChatError for what is not in it."""

    def event(self, event: Mapping[str, Any]) -> str:
        """Take the next event of a stream, and return the text that it adds."""

    def whole(self, body: Mapping[str, Any]) -> str:
        """Take an answer that came in one piece, and return its text."""

    def messages(self, text: str) -> tuple[Message, ...]:
        """The messages to store of what came so far, whose text this is."""

    def answer(self, text: str) -> Answer:
        """What came so far, without the messages."""
