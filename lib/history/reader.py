"""Reads the messages of a session from Redis, with a cache in this process."""

from __future__ import annotations

from lib.errors import CorruptHistory
from lib.history import lua_messages
from lib.history.client import RetryingClient
from lib.history.keys import INDEX, TYPES, keys_of
from lib.history.read_cache import CachedHistory, ReadCache
from lib.history.serialization import unpack_messages
from lib.history.stored_messages import StoredMessages

SCRIPT_BYTES = 16_384
"""Longest value that the script returns whole. For longer ones GET is faster, because it does not copy through Lua."""


class MessageReader:
    """Reads and caches histories. Safe to share between threads."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client
        self._cache = ReadCache()

    def read(self, session_id: str) -> CachedHistory:
        """The history as it is stored now. Raises CorruptHistory, HistoryUnavailable."""
        known = self._cache.get(session_id)
        if known is not None and known.stamp:
            tail, stamp, _ = self._bytes(session_id, known.next_offset, -1)
            grown = known.grown(tail, stamp)
            if grown is not None:
                return self._cache.keep(session_id, grown)
        value, stamp, length = self._bytes(session_id, 0, SCRIPT_BYTES - 1)
        if length > len(value):
            # The stamp may be older than this value. That is safe, because an old stamp never comes back.
            value = self.raw(session_id) or b""
        if not value:
            return self._cache.keep(session_id, CachedHistory.of(b"", "", StoredMessages(())))
        try:
            messages = StoredMessages(unpack_messages(value, value))
        except CorruptHistory:
            self._cache.forget(session_id)
            raise
        if known is not None:
            messages = messages.sharing(known.messages)
        return self._cache.keep(session_id, CachedHistory.of(value.rstrip(), stamp, messages))

    def check_readable(self, session_id: str) -> None:
        """Read the history if this process has not read it before. Raises CorruptHistory."""
        if self._cache.get(session_id) is None:
            self.read(session_id)

    def raw(self, session_id: str) -> bytes | None:
        """The stored value. For a key of another type, a note that names the type."""
        key = keys_of(session_id).history
        try:
            value: bytes | None = self._client.ask(lambda client: client.get(key))
        except CorruptHistory:
            return f"(a Redis {self._type(key)})".encode()
        return value

    def forget(self, session_id: str) -> None:
        """Remove a cleared session from the cache."""
        self._cache.forget(session_id)

    def wrong_type(self, session_id: str) -> CorruptHistory:
        """The error for a session with a key of the wrong type. Names the first such key."""
        types = dict(zip(keys_of(session_id), TYPES, strict=True)) | {INDEX: "zset"}
        found = {key: self._type(key) for key in types}
        wrong = next(
            (f"{key} is a Redis {kind}" for key, kind in found.items() if kind not in (types[key], "none")), None
        )
        what = f"The key {wrong or 'was of another type'}, which Windowseat does not write. Nothing was changed."
        return CorruptHistory(what, raw=self.raw(session_id) or b"", where="key type")

    def _type(self, key: str) -> str:
        kind: bytes = self._client.ask(lambda client: client.type(key))
        return kind.decode()

    def _bytes(self, session_id: str, first: int, last: int) -> tuple[bytes, str, int]:
        """Part of the stored value, the stamp, and the length of the whole value in bytes."""
        try:
            value, stamp, length = self._client.run(lua_messages.LOAD, keys_of(session_id), first, last)
        except CorruptHistory as exc:
            raise self.wrong_type(session_id) from exc
        return value, stamp.decode(), length
