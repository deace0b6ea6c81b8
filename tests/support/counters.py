"""Token counters for tests: one whose counts are easy to work out by hand, and one that counts its calls."""

from __future__ import annotations

from collections.abc import Sequence

from lib.messages import Message
from lib.tokens import CharacterEstimate, Provenance


class WordCounter:
    """A message has 3 tokens plus one per word; a request adds 5, or 12 if it does not begin with a system message."""

    name = "words"
    provenance: Provenance = "counted"

    def count(self, message: Message) -> int:
        return 3 + len(message.text.split())

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        return [self.count(message) for message in messages]

    def template(self, has_system: bool) -> int:
        return 5 if has_system else 12


def whole(messages: Sequence[Message], counter: WordCounter) -> int:
    """A request's tokens, added message by message. Every faster way to count must give the same."""
    has_system = bool(messages) and messages[0].is_system
    return sum(map(counter.count, messages)) + (counter.template(has_system) if messages else 0)


class Counting(CharacterEstimate):
    """An estimate that records how many messages it was asked to count, in `calls`."""

    def __init__(self) -> None:
        self.calls = 0

    def count(self, message: Message) -> int:
        self.calls += 1
        return super().count(message)
