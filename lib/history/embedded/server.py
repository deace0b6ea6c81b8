"""EmbeddedServer: a real Redis or Valkey that the app starts itself, one per data folder.

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
except ImportError:  # Windows: lib/history/embedded/snapshot.py stands in there
    fcntl = None  # type: ignore[assignment]

SOCKET_PATH_BYTES = 100
"""The longest path of a unix socket is 103 bytes on macOS, 107 on Linux."""
START_SECONDS = 20.0
"""Loading a large append-only file takes a second per hundred megabytes or so."""
REVIVE_SECONDS = 1.0
LOG_BYTES = 1_000_000

_children: dict[Path, subprocess.Popen[bytes]] = {}
"""Servers this process started, by data folder; kept so that they are waited for, and leave no zombies."""


def can_embed() -> bool:
    """Whether a server can be started here."""
    return fcntl is not None and find_server() is not None


class EmbeddedServer:
    """One use of the server of a data folder. Several in one process, or in many, share the server."""

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
        """For redis-py."""
        return f"unix://{quote(str(self.socket))}"

    def start(self) -> None:
        """Adopt the running server, or start one without waiting for it. Raises HistoryUnavailable."""
        with self._lock:
            try:
                self._enter()
                self._spawn_unless_running()
            except OSError as exc:
                what = f"The app's own history server cannot use {self.data_dir}: {exc.strerror or exc}."
                raise HistoryUnavailable(what) from exc

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Return when it answers. Raises HistoryUnavailable, with its own last words, if it does not in this time."""
        deadline = time.monotonic() + seconds
        while not (answer := ask(self.socket, "PING")).startswith("+PONG"):
            if not answer and self._died():
                if self._started_it:
                    raise HistoryUnavailable(f"The app's own history server stopped: {self._last_words()}")
                self.start()  # the one that was adopted was about to go
            if time.monotonic() > deadline:
                raise HistoryUnavailable(f"The app's own history server does not answer yet: {self._last_words()}")
            time.sleep(0.002 if time.monotonic() < deadline - seconds + 0.5 else 0.05)

    def revive(self) -> bool:
        """Start it again if it died under us. Whether it answers, within about a second; it may still be loading."""
        try:
            self.start()
            self.wait(REVIVE_SECONDS)
        except HistoryUnavailable:
            return False
        return True

    def close(self) -> None:
        """Stop using it. The last user shuts it down and waits until it is gone."""
        atexit.unregister(self.close)
        with self._lock:
            users, self._users = self._users, None
            if users is None or os.getpid() != self._pid:  # a forked child does not speak for its parent
                return
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # others use it
            else:
                ask(self.socket, "SHUTDOWN", seconds=5.0)
                self._wait_until_gone(5.0)
            finally:
                os.close(users)

    def _enter(self) -> None:
        """Join the users of this folder. Waits while the last one of before shuts the server down."""
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
            _bury(self.data_dir)
            self.socket.unlink(missing_ok=True)  # left behind by a server that was killed
            self._spawn(binary, lock)
        finally:
            os.close(lock)  # from here on the server alone holds it

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
            "aof-use-rdb-preamble": "no",  # a file that every version of both servers reads: they may be exchanged
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
                start_new_session=True,  # Ctrl-C is for the app, which then stops the server in order
                umask=0o077,
            )

    def _server_lock(self) -> int | None:
        """The server's lock, if no server holds it."""
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
        _bury(self.data_dir)
        return True

    def _wait_until_gone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._died() and time.monotonic() < deadline:
            time.sleep(0.002)

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = (self.data_dir / "server.log").read_text(errors="replace").strip().splitlines()
            return lines[-1] if lines else "it said nothing"
        return "its log cannot be read"


def _bury(data_dir: Path) -> None:
    """Let the kernel forget a server of ours that has let go of its lock; it is dead or about to be."""
    child = _children.pop(data_dir, None)
    if child is not None:
        child.wait()


def socket_path(data_dir: Path) -> Path:
    """In the data folder, or in a private temporary folder if that path is too long. Raises HistoryUnavailable."""
    path = data_dir / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    folder = Path(tempfile.gettempdir()) / f"windowseat-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()  # anybody may have made a folder of this name
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise HistoryUnavailable(f"{folder} is not a private folder of this user, so no socket is put there.")
    return folder / f"{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}.sock"
