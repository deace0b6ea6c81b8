"""Starts other people's servers, if tests/peers/install.sh has installed them.

Each has its own environment, folder and home, and listens on 127.0.0.1.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PEERS = Path(os.environ.get("WINDOWSEAT_PEERS") or ROOT / ".peers")
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Address:
    """The base URL of a server, and its key if it requires one."""

    url: str
    key: str | None = None


def installed(name: str) -> Path:
    """The folder of a peer. Skips the test if it is not installed."""
    if not (PEERS / name / ".complete").exists():
        pytest.skip(f"needs the peer {name}: bash tests/peers/install.sh")
    return PEERS / name


@contextmanager
def agentserver(folder: Path, model_url: str) -> Iterator[Address]:
    """Microsoft's host of the Responses protocol. Its paths have no /v1."""
    python, port = installed("agentserver") / "bin" / "python", free_port()
    app = ROOT / "tests" / "peers" / "agentserver_app.py"
    with server_process([str(python), str(app)], folder, port, LLM=model_url, PORT=str(port)):
        yield Address(f"http://127.0.0.1:{port}")


@contextmanager
def myla(folder: Path, model_url: str) -> Iterator[Address]:
    """A server of Assistants threads. It requires a key, which its login returns."""
    python, port = installed("myla") / "bin" / "python", free_port()
    command = [str(python), "-m", "myla", "--host", "127.0.0.1", "--port", str(port), "--data", "data"]
    environment = {"DEFAULT_LLM_MODEL_NAME": "openai@local", "LLM_API_KEY": "none", "LLM_ENDPOINT": model_url}
    with server_process(command, folder, port, **environment):
        url = f"http://127.0.0.1:{port}/api/v1"
        body = json.dumps({"username": "admin", "password": "admin"}).encode()
        login = urllib.request.Request(f"{url}/users/admin/login", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(login, timeout=30) as answer:
            yield Address(url, json.load(answer)["secret_key"]["id"])


@contextmanager
def openai_document(folder: Path) -> Iterator[Address]:
    """A server that enforces OpenAI's own OpenAPI document: it refuses requests that break it with 400."""
    home, port = installed("contract"), free_port()
    steady = home / "node_modules" / ".bin" / "steady"
    command = [str(steady), "--host", "127.0.0.1", "--port", str(port), str(home / "openapi.yml")]
    with server_process(command, folder, port):
        yield Address(f"http://127.0.0.1:{port}", "none")


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server_process(command: list[str], folder: Path, port: int, **environment: str) -> Iterator[None]:
    """Run a command that listens on this port. The block begins once it listens, and its end kills it."""
    folder.mkdir(parents=True, exist_ok=True)
    clean = {"HOME": str(folder), "PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", **environment}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=clean, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # with its children: some of these commands only start another one
        process.wait()


def listens(port: int) -> bool:
    """Whether something accepts connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
