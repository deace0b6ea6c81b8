"""Keeps the histories a process has read, so that reading one again costs only what was added to it.

A cached history is used only where the store proves that nothing before a certain offset changed: the stamp is the same
(see LOAD in lua_messages.py) and so are the last bytes. Otherwise the whole value is read again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from lib.errors import CorruptHistory
from lib.history.serialization import unpack_messages
from lib.history.stored_messages import StoredMessages

COMPARED_BYTES = 256
"""Bytes before the closing bracket that must not have changed."""
CACHED_SESSIONS = 64
"""The session that was used longest ago goes first."""


@dataclass(frozen=True, slots=True)
class CachedHistory:
    """A history as it was read. `end` is the byte offset of its closing bracket (-1 for no value), `last_bytes` the
    bytes just before that.
    """

    messages: StoredMessages
    stamp: str
    end: int
    last_bytes: bytes

    @property
    def next_offset(self) -> int:
        """The offset to read from next time."""
        return self.end - len(self.last_bytes)

    @classmethod
    def of(cls, value: bytes, stamp: str, messages: StoredMessages) -> CachedHistory:
        """A whole value, without blanks behind its closing bracket."""
        end = len(value) - 1
        return cls(messages, stamp, end, value[max(0, end - COMPARED_BYTES) : max(0, end)])

    def grown(self, tail: bytes, stamp: str) -> CachedHistory | None:
        """This history with what was added since. `tail` is the value from `next_offset` on.

        None where it is not certain that nothing else changed.
        """
        added = tail[len(self.last_bytes) :]
        if not stamp or stamp != self.stamp or not tail.startswith(self.last_bytes) or not added.endswith(b"]"):
            return None
        if added == b"]":
            return self
        if not self.messages or not added.startswith(b","):
            return None
        try:
            new = unpack_messages(b"[" + added[1:], tail)
        except CorruptHistory:  # raised again with its place in the whole value, when that is read
            return None
        return CachedHistory(self.messages.extended(new), stamp, self.end + len(added) - 1, tail[:-1][-COMPARED_BYTES:])


class ReadCache:
    """The histories read last, by session. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._histories: OrderedDict[str, CachedHistory] = OrderedDict()

    def get(self, session_id: str) -> CachedHistory | None:
        """The session's history as it was read last."""
        with self._lock:
            history = self._histories.get(session_id)
            if history is not None:
                self._histories.move_to_end(session_id)
            return history

    def keep(self, session_id: str, history: CachedHistory) -> CachedHistory:
        """Keep this reading. Two threads that read the same bytes at once both get the messages of the first."""
        with self._lock:
            other = self._histories.get(session_id)
            if (
                other is not None
                and history.stamp
                and (other.stamp, other.end, other.last_bytes) == (history.stamp, history.end, history.last_bytes)
            ):
                history = other
            self._histories[session_id] = history
            self._histories.move_to_end(session_id)
            if len(self._histories) > CACHED_SESSIONS:
                self._histories.popitem(last=False)
            return history

    def forget(self, session_id: str) -> None:
        """After the session was cleared, or could not be read."""
        with self._lock:
            self._histories.pop(session_id, None)
