"""SnapshotServer: where no server binary exists (Windows), Redis played in this process, with a file for its data.

The rule: the page says what it is. One process only; every write is in the file before the app ends, and within a second of
being made otherwise. The file holds what Redis itself would give: each key's value and the time it expires, as Python literals.
"""

from __future__ import annotations

import ast
import atexit
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

NOTE = (
    "No Redis server is installed here: history is kept by this one process, in a file, and is not a server others can share. "
    "Set REDIS_URL to use a real one."
)
SAVE_AFTER_SECONDS = 0.5


class SnapshotServer:
    """A fakeredis client whose keys outlive the process."""

    def __init__(self, data_dir: Path) -> None:
        from fakeredis import FakeRedis

        data_dir.mkdir(parents=True, exist_ok=True)
        data_dir.chmod(0o700)
        self.client: Any = FakeRedis()
        self._file = data_dir / "history.snapshot"
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._load()
        atexit.register(self.close)

    def written(self) -> None:
        """Something was written: save soon, and several writes at once."""
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(SAVE_AFTER_SECONDS, self._save)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Save now."""
        atexit.unregister(self.close)
        self._save()

    def _save(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            found = [(key, self._value(key), self.client.pexpiretime(key)) for key in self.client.scan_iter()]
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(repr(found).encode())
            os.replace(fresh, self._file)

    def _load(self) -> None:
        with suppress(FileNotFoundError):
            for key, (kind, value), expires in ast.literal_eval(self._file.read_text()):
                self._put(key, kind, value)
                if expires > 0:
                    self.client.pexpireat(key, expires)

    def _value(self, key: bytes) -> tuple[str, Any]:
        kind = self.client.type(key).decode()
        read = {
            "string": lambda: self.client.get(key),
            "hash": lambda: self.client.hgetall(key),
            "stream": lambda: self.client.xrange(key),
            "zset": lambda: self.client.zrange(key, 0, -1, withscores=True),
        }
        return kind, read[kind]()

    def _put(self, key: bytes, kind: str, value: Any) -> None:
        if kind == "string":
            self.client.set(key, value)
        elif kind == "hash":
            self.client.hset(key, mapping=value)
        elif kind == "stream":
            for entry_id, fields in value:
                self.client.xadd(key, fields, id=entry_id)
        elif kind == "zset":
            self.client.zadd(key, dict(value))
