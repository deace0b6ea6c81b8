"""What the replica holds, in memory: conversations, responses, assistants, threads and message threads.

Everything is used on the one thread of the server's event loop, so nothing needs a lock. The store is bounded by
MOST_ENTRIES and MOST_CHARACTERS: the entry that was not used for longest is forgotten first.
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
"""Characters of text in all entries, with OVERHEAD for each piece."""
MOST_CHARACTERS_OF_ONE = 10_000_000
"""A conversation or thread with more characters than this accepts no more."""
OVERHEAD = 500
"""What a message, a run or a response counts beside its text, in characters."""


@dataclass(slots=True, eq=False)
class StoredObject:
    """An entry of the store. `characters` is its size; it is `busy` while a request writes to it."""

    id: str
    characters: int = 0
    busy: bool = False


@dataclass(slots=True, eq=False)
class Conversation(StoredObject):
    """A conversation and its items, oldest first."""

    body: Json = field(default_factory=dict)
    items: list[Json] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class StoredResponse(StoredObject):
    """A stored response. `history` are the items its conversation had then; in a chain the previous response has
    them."""

    body: Json = field(default_factory=dict)
    input: list[Json] = field(default_factory=list)
    history: list[Json] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Assistant(StoredObject):
    """An assistant: instructions and a model name."""

    body: Json = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Run:
    """One run of a thread. `end_status` is the status it ends in when its task is cancelled."""

    body: Json
    steps: list[Json] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    end_status: str = "cancelled"


@dataclass(slots=True, eq=False)
class Thread(StoredObject):
    """A thread of the Assistants API: messages oldest first, runs by id, and the id of the run that is active."""

    body: Json = field(default_factory=dict)
    messages: list[Json] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    active_run: str | None = None

    def cancel_runs(self) -> None:
        """Stop the work of every run."""
        for run in self.runs.values():
            if run.task is not None:
                run.task.cancel()


@dataclass(slots=True, eq=False)
class MessageThread(StoredObject):
    """A message thread of Anthropic's, up to one reply, whose id it has. Times are seconds of the server's clock."""

    messages: list[Json] = field(default_factory=list)
    system: str = ""
    model: str = ""
    expires_at: float = 0.0
    continued: bool = False


Kind = TypeVar("Kind", bound=StoredObject)


class Store:
    """All entries by id, the last used one last."""

    def __init__(self, most_entries: int = MOST_ENTRIES, most_characters: int = MOST_CHARACTERS) -> None:
        self._entries: OrderedDict[str, StoredObject] = OrderedDict()
        self._characters = 0
        self._most_entries = most_entries
        self._most_characters = most_characters

    def get(self, kind: type[Kind], id_: str) -> Kind | None:
        """The entry with this id, if it is of this kind. Counts as a use."""
        found = self._entries.get(id_)
        if not isinstance(found, kind):
            return None
        self._entries.move_to_end(id_)
        return found

    def put(self, entry: StoredObject, characters: int = 0) -> None:
        """Add an entry; if the store is full, forget those not used for longest."""
        self._entries[entry.id] = entry
        self.resize(entry, characters)

    def resize(self, entry: StoredObject, characters: int) -> None:
        """Record that an entry grew by this many characters, or shrank if negative."""
        if self._entries.get(entry.id) is not entry:
            return  # deleted in the meantime
        entry.characters += characters
        self._characters += characters
        self._make_room(entry)

    def drop(self, id_: str) -> StoredObject | None:
        """Forget an entry; returns it, or None if there was none."""
        entry = self._entries.pop(id_, None)
        if entry is not None:
            self._characters -= entry.characters
        return entry

    def all(self, kind: type[Kind]) -> Iterator[Kind]:
        """Every entry of a kind, the last used one last. Does not count as a use."""
        return (entry for entry in list(self._entries.values()) if isinstance(entry, kind))

    def _make_room(self, newest: StoredObject) -> None:
        for entry in list(self._entries.values()):
            if len(self._entries) <= self._most_entries and self._characters <= self._most_characters:
                return
            if entry is not newest and not entry.busy:
                self.drop(entry.id)
