"""The beginning of a history, without a copy of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from lib.messages import Message


class HistoryPrefix(Sequence[Message]):
    """The first `size` messages of a history, not copied: a long conversation has one of these for each request."""

    def __init__(self, history: Sequence[Message], size: int) -> None:
        self._history = history
        self._size = size

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, at: int) -> Message: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Message]: ...
    def __getitem__(self, at: int | slice) -> Message | Sequence[Message]:
        if isinstance(at, slice):
            return [self._history[place] for place in range(*at.indices(self._size))]
        return self._history[range(self._size)[at]]
