"""One reader for each format: which keys are a conversation's, and how they become messages.

A conversation is named by one key, or by the part that all its keys begin with (`is_family`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.history.foreign.access import Access, Part
from lib.messages import Message


@dataclass(slots=True)
class Found:
    """A conversation as a look at the keys finds it. `first` and `last` are the first and last of its `count` keys, in
    the order of their names."""

    session: bytes
    count: int
    first: bytes
    last: bytes

    def add(self, key: bytes) -> None:
        """Take in another of its keys."""
        self.count += 1
        self.first, self.last = min(self.first, key), max(self.last, key)


@dataclass(frozen=True, slots=True)
class Glance:
    """What a list shows of a conversation. Times are seconds since the epoch, `size` is in bytes; None is not known."""

    messages: int | None = None
    created_at: float | None = None
    last_activity: float | None = None
    size: int | None = None


class Reader(Protocol):
    """Reads one format. Only `glance` and `fetch` ask the server."""

    @property
    def format(self) -> str:
        """A key of lib.history.foreign.FORMATS."""

    @property
    def is_family(self) -> bool:
        """Whether each message has a key of its own."""

    def session_of(self, key: bytes) -> bytes | None:
        """The conversation that a key belongs to, or None for a key of something else."""

    def title(self, session: bytes) -> str:
        """What the library calls the conversation."""

    def glance(self, access: Access, found: Found) -> Glance:
        """A few figures, without reading the whole conversation. Raises ChatError."""

    def fetch(self, access: Access, keys: Sequence[bytes]) -> tuple[Part, ...]:
        """The stored pieces, in their order. `keys` are all keys of the conversation. Raises ChatError."""

    def messages(self, parts: Sequence[Part]) -> list[Message]:
        """The messages in these pieces. Raises CorruptHistory where there is no conversation in them at all."""
