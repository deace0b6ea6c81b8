"""Starts real Redis servers for tests, each in a temporary folder with a short path, and builds turns to store."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from lib.chat_settings import ChatSettings
from lib.errors import TurnInProgress
from lib.history import HistoryStore
from lib.history.embedded.inline_command import ask
from lib.messages import Message, assistant, user
from lib.turns import LiveTurn, Turn

TTL = 86_400
SETTINGS = ChatSettings("openai", "test-model", "Be brief.", 8192, 1024, "low_water")


class RedisServer:
    """A redis-server process. `start` may be called again after `stop` or `kill`."""

    def __init__(self, *options: str) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            pytest.skip("there is no redis-server on PATH; apt-get install redis-server")
        self.binary = binary
        self.folder = Path(tempfile.mkdtemp(prefix="ws-"))
        self.socket = self.folder / "r.sock"
        self.url = f"unix://{self.socket}"
        self.password: str | None = None  # for `client`, if a test has set one
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> RedisServer:
        port = [] if "--port" in self._options else ["--port", "0"]
        self._process = subprocess.Popen(
            [self.binary, *port, "--unixsocket", self.socket, "--dir", self.folder, "--save", "", *self._options],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._process.poll() is None:
            if ask(self.socket, "PING").startswith(("+PONG", "-NOAUTH")):
                return self
            time.sleep(0.005)
        self.close()
        raise TimeoutError("redis-server did not start")

    def client(self) -> Any:
        return redis.Redis(unix_socket_path=str(self.socket), password=self.password, protocol=2)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            if how != signal.SIGSTOP:
                self._process.wait()

    def stop(self) -> None:
        """Shut down with SIGTERM. With the options "--appendonly", "yes" the next `start` loads the data again."""
        self.kill(signal.SIGTERM)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stored(self, session_id: str) -> list[dict[str, Any]]:
        """The stored messages, as another service would read them."""
        with self.client() as client:
            return list(json.loads(client.get(f"chat:{session_id}") or "[]"))

    def live(self, session_id: str) -> dict[str, Any] | None:
        """The live record of a session, or None."""
        with self.client() as client:
            value = client.get(f"{{chat:{session_id}}}:live")
            return dict(json.loads(value)) if value else None

    def commands(self) -> int:
        """How many commands clients have sent, without INFO and the commands that open a connection."""
        with self.client() as client:
            calls = client.info("commandstats").items()
        return sum(
            stats["calls"]
            for name, stats in calls
            if not name.startswith(("cmdstat_info", "cmdstat_client", "cmdstat_hello"))
        )

    def everything(self) -> dict[bytes, tuple[Any, int]]:
        """Every key with its value and its deadline (milliseconds since the epoch; -1 for never)."""
        with self.client() as client:
            return everything(client)


def everything(client: Any) -> dict[bytes, tuple[Any, int]]:
    """Every key with its value and its deadline. A hash is read whole: its dump may change its order on a read."""

    def value(key: bytes) -> Any:
        return client.hgetall(key) if client.type(key) == b"hash" else client.dump(key)

    return {key: (value(key), client.pexpiretime(key)) for key in client.scan_iter()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prompt(question: str = "Hello", /, **fields: Any) -> LiveTurn:
    """A live turn with this prompt."""
    return LiveTurn(question, SETTINGS, "test", 1_000.0, **fields)


def record(live: LiveTurn, reply: str = "Hi!", **fields: Any) -> Turn:
    """The finished turn of a live turn."""
    done = Turn(live.id, live.prompt, reply, "complete", "openai", "test-model", "Be brief.", 1_000.0)
    return replace(done, **fields)


def commit(store: HistoryStore, session_id: str, live: LiveTurn, reply: str = "Hi!", **fields: Any) -> None:
    store.commit(session_id, live.id, [user(live.prompt), assistant(reply)], record(live, reply, **fields))


def say(store: HistoryStore, session_id: str, text: str = "Hello", reply: str = "Hi!", **fields: Any) -> LiveTurn:
    """Store a whole exchange."""
    live = prompt(text)
    store.begin(session_id, live)
    commit(store, session_id, live, reply, **fields)
    return live


def append(store: HistoryStore, session_id: str, messages: list[Message], text: str = "Hello") -> None:
    """Store any messages as one turn."""
    live = prompt(text)
    store.begin(session_id, live)
    store.commit(session_id, live.id, messages, record(live))


def live_turn(store: HistoryStore, session_id: str) -> LiveTurn:
    """The session's live turn, which must exist."""
    live = store.live(session_id)
    assert live is not None
    return live


def as_dicts(messages: Any) -> list[Mapping[str, Any]]:
    return [message.to_dict() for message in messages]


def write_turns(store: Any, writer: int, turns: int) -> None:
    """Store turns in the session "s". While another writer's turn is live, try again."""
    for number in range(turns):
        live = prompt(f"{writer}:{number}")
        while True:
            try:
                store.begin("s", live)
                break
            except TurnInProgress:
                threading.Event().wait(0.001)
        commit(store, "s", live, f"reply to {writer}:{number}")
