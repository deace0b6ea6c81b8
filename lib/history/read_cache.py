"""Caches the histories that this process has read, so that reading one again transfers only its new messages.

A cached history is used only if the store's stamp (see LOAD in lua_messages.py) and the last bytes before the closing
bracket are unchanged. Otherwise the whole value is read again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from lib.errors import CorruptHistory
from lib.history.serialization import unpack_messages
from lib.history.stored_messages import StoredMessages

COMPARED_BYTES = 256
"""How many bytes before the closing bracket are compared."""
CACHED_SESSIONS = 64
"""Size of the cache. The least recently used session is removed first."""


@dataclass(frozen=True, slots=True)
class CachedHistory:
    """A history as it was last read.

    `end` is the byte offset of its closing bracket (-1 if nothing is stored), `last_bytes` the bytes just before it.
    """

    messages: StoredMessages
    stamp: str
    end: int
    last_bytes: bytes

    @property
    def next_offset(self) -> int:
        """The byte offset to read from next time."""
        return self.end - len(self.last_bytes)

    @classmethod
    def of(cls, value: bytes, stamp: str, messages: StoredMessages) -> CachedHistory:
        """Make one from a whole value, which must not have whitespace after its closing bracket."""
        end = len(value) - 1
        return cls(messages, stamp, end, value[max(0, end - COMPARED_BYTES) : max(0, end)])

    def grown(self, tail: bytes, stamp: str) -> CachedHistory | None:
        """This history with the messages added since. `tail` is the value from `next_offset` on.

        None if it is not certain that nothing else changed.
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
        except CorruptHistory:  # reading the whole value raises it again, with the right position
            return None
        return CachedHistory(self.messages.extended(new), stamp, self.end + len(added) - 1, tail[:-1][-COMPARED_BYTES:])


class ReadCache:
    """The most recently read histories, by session. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._histories: OrderedDict[str, CachedHistory] = OrderedDict()

    def get(self, session_id: str) -> CachedHistory | None:
        """The session's history as it was last read, or None."""
        with self._lock:
            history = self._histories.get(session_id)
            if history is not None:
                self._histories.move_to_end(session_id)
            return history

    def keep(self, session_id: str, history: CachedHistory) -> CachedHistory:
        """Cache a history. Two threads that read the same bytes at once both get the first one's Message objects."""
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
        """Remove a session that was cleared or could not be read."""
        with self._lock:
            self._histories.pop(session_id, None)
