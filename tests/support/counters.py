"""A counter for tests that is easy to foresee: words, with a frame and a template of their own."""

from __future__ import annotations

from collections.abc import Sequence

from lib.messages import Message
from lib.tokens import CharacterEstimate, Provenance


class WordCounter:
    """Words plus 3 a message; a request holds 5 more, and 7 more where it does not begin with a system message."""

    name = "words"
    provenance: Provenance = "counted"

    def count(self, message: Message) -> int:
        return 3 + len(message.text.split())

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        return [self.count(message) for message in messages]

    def template(self, has_system: bool) -> int:
        return 5 if has_system else 12


def whole(messages: Sequence[Message], counter: WordCounter) -> int:
    """A request's size the slow way: what every counter must agree with when the parts are added."""
    has_system = bool(messages) and messages[0].is_system
    return sum(map(counter.count, messages)) + (counter.template(has_system) if messages else 0)


class Counting(CharacterEstimate):
    """Counts how often it counts."""

    def __init__(self) -> None:
        self.calls = 0

    def count(self, message: Message) -> int:
        self.calls += 1
        return super().count(message)
