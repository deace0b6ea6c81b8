"""What the server holds: conversations, responses, assistants, threads and message threads, in memory.

What for: history that survives from request to request and not longer than the process. The rule: everything is touched on
the one thread of the server's event loop, so nothing needs a lock, and together it never holds more than MOST_ENTRIES and
MOST_CHARACTERS: what was used longest ago is forgotten first. It leaves out the disk.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from lib.replica.http_values import Json

MOST_ENTRIES = 2000
MOST_CHARACTERS = 30_000_000
"""Of text that people and the model wrote, and WEIGHT for each piece of it."""
MOST_OF_ONE = 10_000_000
"""Of one conversation or thread: it takes no more then."""
WEIGHT = 500
"""What a message, a run or a response weighs beside its text, in characters."""


@dataclass(slots=True, eq=False)
class StoredObject:
    """One thing that is held under an id. `characters` of text, `busy` while a request writes to it."""

    id: str
    characters: int = 0
    busy: bool = False


@dataclass(slots=True, eq=False)
class Conversation(StoredObject):
    """A conversation and its items, oldest first."""

    body: Json = field(default_factory=dict)
    items: list[Json] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Stored(StoredObject):
    """A stored response. `before` are the items of its conversation at that time; a chain has a previous id instead."""

    body: Json = field(default_factory=dict)
    input: list[Json] = field(default_factory=list)
    before: list[Json] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Assistant(StoredObject):
    """An assistant: instructions and a model name."""

    body: Json = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Run:
    """One run of a thread. `end` is the status that a cancellation is to end in."""

    body: Json
    steps: list[Json] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    end: str = "cancelled"


@dataclass(slots=True, eq=False)
class Thread(StoredObject):
    """A thread of the Assistants API: messages oldest first, runs by id."""

    body: Json = field(default_factory=dict)
    messages: list[Json] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    active: str | None = None


@dataclass(slots=True, eq=False)
class Held(StoredObject):
    """A message thread of Anthropic's, up to one reply; `id` is the reply's. Times are seconds of the server's clock."""

    messages: list[Json] = field(default_factory=list)
    system: str = ""
    model: str = ""
    expires_at: float = 0.0
    continued: bool = False


Kind = TypeVar("Kind", bound=StoredObject)


class Store:
    """Everything, under its id, last used last."""

    def __init__(self, most_entries: int = MOST_ENTRIES, most_characters: int = MOST_CHARACTERS) -> None:
        self._entries: OrderedDict[str, StoredObject] = OrderedDict()
        self._characters = 0
        self._most_entries = most_entries
        self._most_characters = most_characters

    def get(self, kind: type[Kind], identifier: str) -> Kind | None:
        """What is held under the id, if it is of this kind. Counts as a use."""
        found = self._entries.get(identifier)
        if not isinstance(found, kind):
            return None
        self._entries.move_to_end(identifier)
        return found

    def put(self, entry: StoredObject, characters: int = 0) -> None:
        """Hold it, forgetting what was used longest ago where there is too much."""
        self._entries[entry.id] = entry
        self.grow(entry, characters)

    def grow(self, entry: StoredObject, characters: int) -> None:
        """Note that text was added to an entry, or taken away."""
        if self._entries.get(entry.id) is not entry:
            return  # it was deleted meanwhile
        entry.characters += characters
        self._characters += characters
        self._make_room(entry)

    def drop(self, identifier: str) -> StoredObject | None:
        """Forget one; what it was."""
        entry = self._entries.pop(identifier, None)
        if entry is not None:
            self._characters -= entry.characters
        return entry

    def all(self, kind: type[Kind]) -> Iterator[Kind]:
        """Every entry of a kind, last used last."""
        return (entry for entry in list(self._entries.values()) if isinstance(entry, kind))

    def _make_room(self, newest: StoredObject) -> None:
        for entry in list(self._entries.values()):
            if len(self._entries) <= self._most_entries and self._characters <= self._most_characters:
                return
            if entry is not newest and not entry.busy:
                self.drop(entry.id)
