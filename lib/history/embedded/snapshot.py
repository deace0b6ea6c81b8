"""Stands in for a Redis server in this process where no server binary exists (Windows), and keeps its data in a file.

The page says that it is in use, because other processes, machines and services cannot reach it. Every write is in the
file within a second, and before the app ends. The file is replaced as a whole, so a crash leaves the previous one.

The file is JSON: for each key its type, value and deadline in ms since the epoch (or null). Bytes are Latin-1 text.
"""

from __future__ import annotations

import atexit
import json
import os
import threading
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lib.errors import HistoryUnavailable

NOTE = (
    "One process only, not a server: no Redis is installed here, so history is kept by this app in a file. "
    "Set REDIS_URL to use a real one."
)
SAVE_AFTER_SECONDS = 0.5


class SnapshotServer:
    """A fakeredis client whose keys outlive the process.

    Raises HistoryUnavailable if another process uses the folder or the file cannot be read; the file is left as it is.
    """

    def __init__(self, data_dir: Path) -> None:
        from fakeredis import FakeRedis

        data_dir.mkdir(parents=True, exist_ok=True)
        data_dir.chmod(0o700)
        self.client: Any = FakeRedis()
        self._file = data_dir / "history.json"
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._folder = FileLock(data_dir / "snapshot.lock", thread_local=False)
        try:
            self._folder.acquire(timeout=0)
        except Timeout as exc:
            what = "Another process of the app keeps its history here, and without a Redis server only one can."
            raise HistoryUnavailable(what, next_step="Stop the other one, or set REDIS_URL.") from exc
        self._load()
        atexit.register(self.close)

    def written(self) -> None:
        """Schedule a save after a write. Writes that follow soon share it."""
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(SAVE_AFTER_SECONDS, self.save)
                self._timer.daemon = True
                self._timer.start()

    def save(self) -> None:
        """Save now. The file is complete on disk when this returns."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            entries = {key.decode("latin-1"): self._entry(key) for key in self.client.scan_iter()}
            keys = {key: entry for key, entry in entries.items() if entry is not None}
            new_file = self._file.with_suffix(".new")
            with new_file.open("w", encoding="ascii") as file:
                json.dump(keys, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new_file, self._file)

    def close(self) -> None:
        """Save, and release the folder for other processes."""
        atexit.unregister(self.close)
        if self._folder.is_locked:
            self.save()
            self._folder.release()

    def _load(self) -> None:
        if not self._file.exists():
            return
        try:
            for key, (kind, value, deadline) in json.loads(self._file.read_bytes()).items():
                name = key.encode("latin-1")
                _put(self.client, name, kind, value)
                if deadline is not None:
                    self.client.pexpireat(name, deadline)
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            self._folder.release()
            what = f"The saved history in {self._file} cannot be read."
            raise HistoryUnavailable(what, next_step="Move the file away, or repair it, then start again.") from exc

    def _entry(self, key: bytes) -> tuple[str, Any, int | None] | None:
        """Type, value and deadline of a key. None if it has expired or is of a type that the store never writes."""
        read = {"string": _string, "hash": _hash, "stream": _stream, "zset": _sorted_set}
        kind = self.client.type(key).decode()
        if kind not in read:
            return None
        deadline = self.client.pexpiretime(key)
        return kind, read[kind](self.client, key), deadline if deadline >= 0 else None


def _string(client: Any, key: bytes) -> str:
    return str((client.get(key) or b"").decode("latin-1"))


def _hash(client: Any, key: bytes) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in client.hgetall(key).items()}


def _stream(client: Any, key: bytes) -> list[tuple[str, str]]:
    return [(entry_id.decode(), fields[b"turn"].decode("latin-1")) for entry_id, fields in client.xrange(key)]


def _sorted_set(client: Any, key: bytes) -> dict[str, float]:
    return {name.decode("latin-1"): score for name, score in client.zrange(key, 0, -1, withscores=True)}


def _put(client: Any, key: bytes, kind: str, value: Any) -> None:
    """Write a key that `_entry` read. Raises KeyError for any other type."""
    if kind == "string":
        client.set(key, value.encode("latin-1"))
    elif kind == "hash":
        client.hset(key, mapping={name.encode("latin-1"): text.encode("latin-1") for name, text in value.items()})
    elif kind == "stream":
        for entry_id, turn in value:
            client.xadd(key, {b"turn": turn.encode("latin-1")}, id=entry_id)
    elif kind == "zset":
        client.zadd(key, {name.encode("latin-1"): score for name, score in value.items()})
    else:
        raise KeyError(kind)
