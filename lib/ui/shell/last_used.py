"""A bounded dict for objects of browser sessions that are too live for session state, such as running probes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, MutableMapping
from typing import TypeVar

T = TypeVar("T")


def _nothing(value: object) -> None:
    """What is done with a dropped value by default."""


class LastUsed(MutableMapping[str, T]):
    """Keeps the `most` values read or written last. Safe to use from any thread.

    `on_drop` is called with each value that has to make room, outside the lock. Example:
    probes = LastUsed[Probe](64, Probe.cancel)
    """

    def __init__(self, most: int, on_drop: Callable[[T], object] = _nothing) -> None:
        self.most = most
        self._on_drop = on_drop
        self._lock = threading.Lock()
        self._values: OrderedDict[str, T] = OrderedDict()

    def __getitem__(self, key: str) -> T:
        with self._lock:
            self._values.move_to_end(key)  # raises KeyError
            return self._values[key]

    def __setitem__(self, key: str, value: T) -> None:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            dropped = [self._values.popitem(last=False)[1] for _ in range(len(self._values) - self.most)]
        for old in dropped:
            self._on_drop(old)

    def __delitem__(self, key: str) -> None:
        with self._lock:
            del self._values[key]

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._values))

    def __len__(self) -> int:
        return len(self._values)
