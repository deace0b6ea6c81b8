"""Starts a real Redis or Valkey server for a data folder and shares it between processes.

There is only one server per folder, whichever processes start, end or are killed. Two kernel locks ensure that; they
vanish with the processes that hold them:

- `server.lock` is held by the server, which inherits it from the process that started it. It is free exactly when no
  server runs, so nobody starts a second one beside a server that hangs or still loads its data.
- `users.lock` is held, shared, by every process that uses the server. A process that can take it alone is the last one,
  and shuts the server down; a process that arrives meanwhile waits for that.

The server listens on a unix socket only, and writes an append-only file. This module does not need redis-py, so the
server can start before redis-py is imported.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import stat
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from lib.errors import HistoryUnavailable
from lib.history.embedded.binary import find_server
from lib.history.embedded.inline_command import ask

try:
    import fcntl
except ImportError:  # Windows, where lib/history/embedded/snapshot.py is used
    fcntl = None  # type: ignore[assignment]  # can_embed() says no, so nothing uses it

SOCKET_PATH_BYTES = 100
"""Longest socket path that we use. The limit is 103 bytes on macOS and 107 on Linux."""
START_SECONDS = 20.0
"""Loading a large append-only file takes about a second per hundred megabytes."""
REVIVE_SECONDS = 1.0
LOG_BYTES = 1_000_000

_children: dict[Path, subprocess.Popen[bytes]] = {}
"""Servers that this process started, by data folder. We wait for them when they end, so they leave no zombies."""


def can_embed() -> bool:
    """Whether this machine can start a server."""
    return fcntl is not None and find_server() is not None


class EmbeddedServer:
    """One user of the server of a data folder. Several users, in one or more processes, share the server."""

    def __init__(self, data_dir: Path, binary: str | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self.socket = socket_path(self.data_dir)
        self._binary = binary
        self._users: int | None = None
        self._started_it = False
        self._lock = threading.Lock()
        self._pid = os.getpid()

    @property
    def url(self) -> str:
        """The URL for redis-py."""
        return f"unix://{quote(str(self.socket))}"

    def start(self) -> None:
        """Use the running server, or start one without waiting for it. Raises HistoryUnavailable."""
        with self._lock:
            try:
                self._enter()
                self._spawn_unless_running()
            except OSError as exc:
                what = f"The app's own history server cannot use {self.data_dir}: {exc.strerror or exc}."
                raise HistoryUnavailable(what) from exc

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Return when the server answers. Otherwise raises HistoryUnavailable with the last line of its log."""
        deadline = time.monotonic() + seconds
        while not (answer := ask(self.socket, "PING")).startswith("+PONG"):
            if not answer and self._died():
                if self._started_it:
                    raise HistoryUnavailable(f"The app's own history server stopped: {self._last_log_line()}")
                self.start()  # the server that we found was shutting down
            if time.monotonic() > deadline:
                raise HistoryUnavailable(f"The app's own history server does not answer yet: {self._last_log_line()}")
            time.sleep(0.002 if time.monotonic() < deadline - seconds + 0.5 else 0.05)

    def revive(self) -> bool:
        """Restart the server if it died. Returns within about a second whether it answers; it may still be loading."""
        try:
            self.start()
            self.wait(REVIVE_SECONDS)
        except HistoryUnavailable:
            return False
        return True

    def close(self) -> None:
        """Stop using the server. The last user shuts it down and waits until it is gone."""
        atexit.unregister(self.close)
        with self._lock:
            users, self._users = self._users, None
            if users is None or os.getpid() != self._pid:  # a forked child must not shut down its parent's server
                return
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # others still use it
            else:
                ask(self.socket, "SHUTDOWN", seconds=5.0)
                self._wait_until_gone(5.0)
            finally:
                os.close(users)

    def _enter(self) -> None:
        """Become a user of this folder. Waits while its last user shuts the server down."""
        if self._users is not None:
            return
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.data_dir.chmod(0o700)
        users = os.open(self.data_dir / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(users, fcntl.LOCK_SH)
        self._users = users
        atexit.register(self.close)

    def _spawn_unless_running(self) -> None:
        lock = self._server_lock()
        self._started_it = lock is not None
        if lock is None:
            return
        try:
            binary = self._binary or find_server()
            if binary is None:
                raise HistoryUnavailable("There is no redis-server or valkey-server on this machine.")
            _reap(self.data_dir)
            self.socket.unlink(missing_ok=True)  # left behind by a killed server
            self._spawn(binary, lock)
        finally:
            os.close(lock)  # from now on only the server holds it

    def _spawn(self, binary: str, lock: int) -> None:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data_dir),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "aof-load-truncated": "yes",
            "save": "",
            "daemonize": "no",
            "aof-use-rdb-preamble": "no",  # a format that every version of both servers reads
        }
        command = [binary, *(word for name, value in options.items() for word in (f"--{name}", value))]
        log_path = self.data_dir / "server.log"
        mode = "wb" if log_path.exists() and log_path.stat().st_size > LOG_BYTES else "ab"
        with log_path.open(mode) as log:
            _children[self.data_dir] = subprocess.Popen(  # noqa: S603 - our own command, without a shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C reaches only the app, which then shuts the server down cleanly
                umask=0o077,
            )

    def _server_lock(self) -> int | None:
        """Take the server's lock. None if a server holds it."""
        lock = os.open(self.data_dir / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    def _died(self) -> bool:
        lock = self._server_lock()
        if lock is None:
            return False
        os.close(lock)
        _reap(self.data_dir)
        return True

    def _wait_until_gone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._died() and time.monotonic() < deadline:
            time.sleep(0.002)

    def _last_log_line(self) -> str:
        with suppress(OSError):
            lines = (self.data_dir / "server.log").read_text(errors="replace").strip().splitlines()
            return lines[-1] if lines else "its log is empty"
        return "its log cannot be read"


def _reap(data_dir: Path) -> None:
    """Wait for a child server that has released its lock, so that it leaves no zombie."""
    child = _children.pop(data_dir, None)
    if child is not None:
        child.wait()


def socket_path(data_dir: Path) -> Path:
    """The path of the server's socket: in the data folder, or in a private temporary folder if that path is too long.

    Raises HistoryUnavailable if the temporary folder is not private.
    """
    path = data_dir / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    folder = Path(tempfile.gettempdir()) / f"windowseat-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()  # another user may have made a folder with this name
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise HistoryUnavailable(f"{folder} is not a private folder of this user, so no socket is put there.")
    return folder / f"{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}.sock"
