"""A sequence of stored messages that creates each Message object when it is first used."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from lib.history.serialization import StoredObject, read_objects
from lib.messages import Message


@dataclass(slots=True)
class _Items:
    """A list that only grows. Each stored object is replaced by its Message when that is first needed.

    The first `ready` values are Messages already.
    """

    values: list[StoredObject | Message]
    ready: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class StoredMessages(Sequence[Message]):
    """An immutable sequence that returns the same Message object every time. Safe to share between threads.

    `stored` comes from `unpack_messages`, which checked it. A longer history shares its values with the shorter one
    that it extends, so its cost depends only on the number of new messages.
    """

    __slots__ = ("_items", "_size")

    def __init__(self, stored: Sequence[StoredObject]) -> None:
        self._items = _Items(list(stored))
        self._size = len(stored)

    def extended(self, stored: Sequence[StoredObject | Message]) -> StoredMessages:
        """A longer history: this one with more messages at its end."""
        longer = StoredMessages(())
        with self._items.lock:
            if len(self._items.values) == self._size:
                self._items.values.extend(stored)
                longer._items, longer._size = self._items, self._size + len(stored)
                return longer
        # Another thread has extended this history. Build the Messages first, so that both longer ones share them.
        longer._items.values = [*self, *stored]
        longer._size = len(longer._items.values)
        return longer

    def sharing(self, earlier: StoredMessages) -> StoredMessages:
        """This history with the Message objects of an earlier reading, if it only grew since then."""
        known = len(earlier)
        only_grew = known > 0 and self[:known] == tuple(earlier)
        return earlier.extended(list(self[known:])) if only_grew else self

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, at: int) -> Message: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Message]: ...
    def __getitem__(self, at: int | slice) -> Message | Sequence[Message]:
        if isinstance(at, slice):
            start, stop, step = at.indices(self._size)
            if step != 1:
                return tuple(self[place] for place in range(start, stop, step))
            return tuple(self._messages(start, max(start, stop)))
        place = range(self._size)[at]
        item = self._items.values[place]
        return item if isinstance(item, Message) else self._messages(place, place + 1)[0]

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages(0, self._size))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (StoredMessages, tuple, list)):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    def __repr__(self) -> str:
        return f"StoredMessages({list(self)!r})"

    def _messages(self, start: int, stop: int) -> list[Message]:
        """The messages from start up to stop, created where needed."""
        items = self._items
        if stop > items.ready:
            with items.lock:
                unread = [
                    (place, item)
                    for place, item in enumerate(items.values[start:stop], start)
                    if not isinstance(item, Message)
                ]
                for (place, _), found in zip(unread, read_objects([item for _, item in unread]), strict=True):
                    items.values[place] = Message.from_dict(found)
                if start <= items.ready:
                    items.ready = max(items.ready, stop)
        return items.values[start:stop]  # type: ignore[return-value]  # all of these are Messages now
