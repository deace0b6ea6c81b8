"""What a process remembers of the histories it read, so that reading one again costs what was added to it.

The rule: a remembered message is only given out where the store proves that nothing before the offset changed: the stamp is
the same (see scripts.py) and so are the last bytes. In any doubt the whole value is read again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from lib.errors import CorruptHistory
from lib.history.serialization import unpack_messages
from lib.messages import Message

WINDOW = 256
"""Bytes before the closing bracket that must not have changed."""
SESSIONS = 64
"""Histories that are remembered; the one used longest ago goes first."""


@dataclass(frozen=True, slots=True)
class CachedHistory:
    """A history as it was read. `end` is the offset of its closing bracket, `window` the bytes just before it."""

    messages: tuple[Message, ...]
    stamp: str
    end: int
    window: bytes

    @property
    def asked_from(self) -> int:
        """The offset to read from next time."""
        return self.end - len(self.window)

    @classmethod
    def of(cls, value: bytes, stamp: str, messages: tuple[Message, ...]) -> CachedHistory:
        end = len(value) - 1
        return cls(messages, stamp, end, value[max(0, end - WINDOW) : end])

    def grown(self, tail: bytes, stamp: str) -> CachedHistory | None:
        """This history with what was added since, from the bytes at `asked_from` on. None where it cannot be proved."""
        added = tail[len(self.window) :]
        if not stamp or stamp != self.stamp or not tail.startswith(self.window) or not added.endswith(b"]"):
            return None
        if added == b"]":
            return self
        if not self.messages or not added.startswith(b","):
            return None
        try:
            new = unpack_messages(b"[" + added[1:], tail)
        except CorruptHistory:  # said with its place in the whole value, once that is read
            return None
        end = self.end + len(added) - 1
        return CachedHistory(self.messages + new, stamp, end, tail[:-1][-WINDOW:])


class ReadCache:
    """The histories read last, by session. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, CachedHistory] = OrderedDict()

    def get(self, session_id: str) -> CachedHistory | None:
        """What is remembered of this session."""
        with self._lock:
            known = self._known.get(session_id)
            if known is not None:
                self._known.move_to_end(session_id)
            return known

    def keep(self, session_id: str, known: CachedHistory) -> CachedHistory:
        """Remember this reading. Two threads that read the same bytes at once both get the messages of the first."""
        with self._lock:
            other = self._known.get(session_id)
            if other is not None and (other.stamp, other.end, other.window) == (known.stamp, known.end, known.window):
                known = other if known.stamp else known
            self._known[session_id] = known
            self._known.move_to_end(session_id)
            if len(self._known) > SESSIONS:
                self._known.popitem(last=False)
            return known

    def forget(self, session_id: str) -> None:
        """After the session was cleared, or could not be read."""
        with self._lock:
            self._known.pop(session_id, None)
