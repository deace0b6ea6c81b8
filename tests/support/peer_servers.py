"""Starting the servers nobody here wrote, where tests/peers/install.sh has installed them. Each in an environment, a folder and
a home of its own, on 127.0.0.1."""

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

ROOT = Path(__file__).parents[2]
PEERS = Path(os.environ.get("WINDOWSEAT_PEERS") or ROOT / ".peers")
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where it answers, and the key it wants."""

    url: str
    key: str | None = None


def needs(name: str) -> Path:
    """The folder of a peer; skips the test where it is not installed."""
    if not (PEERS / name / ".complete").exists():
        pytest.skip(f"needs the peer {name}: bash tests/peers/install.sh")
    return PEERS / name


@contextmanager
def agentserver(folder: Path, llm: str) -> Iterator[Address]:
    """Microsoft's host of the Responses protocol. Its addresses have no /v1."""
    python, port = needs("agentserver") / "bin" / "python", free_port()
    app = ROOT / "tests" / "peers" / "agentserver_app.py"
    with running([str(python), str(app)], folder, port, LLM=llm, PORT=str(port)):
        yield Address(f"http://127.0.0.1:{port}")


@contextmanager
def myla(folder: Path, llm: str) -> Iterator[Address]:
    """A server of Assistants threads. It wants a key, which its own login gives."""
    python, port = needs("myla") / "bin" / "python", free_port()
    command = [str(python), "-m", "myla", "--host", "127.0.0.1", "--port", str(port), "--data", "data"]
    with running(command, folder, port, DEFAULT_LLM_MODEL_NAME="openai@local", LLM_API_KEY="none", LLM_ENDPOINT=llm):
        url = f"http://127.0.0.1:{port}/api/v1"
        body = json.dumps({"username": "admin", "password": "admin"}).encode()
        login = urllib.request.Request(f"{url}/users/admin/login", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(login, timeout=30) as answer:
            yield Address(url, json.load(answer)["secret_key"]["id"])


@contextmanager
def contract(folder: Path) -> Iterator[Address]:
    """OpenAI's own OpenAPI document, served: requests that break it are refused with 400."""
    home, port = needs("contract"), free_port()
    steady = home / "node_modules" / ".bin" / "steady"
    command = [str(steady), "--host", "127.0.0.1", "--port", str(port), str(home / "openapi.yml")]
    with running(command, folder, port):
        yield Address(f"http://127.0.0.1:{port}", "none")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], folder: Path, port: int, **environment: str) -> Iterator[None]:
    """The process, from when it listens until the end of the block."""
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
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
