"""Fixtures that several folders share. tests/conftest.py loads them."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from lib.providers.llama.process import INSTALL, LocalModel, packaged_model
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.replay_server import Replay


@pytest.fixture(scope="session")
def model() -> Iterator[LocalModel]:
    """The embedded model, started once."""
    if packaged_model() is None:
        pytest.skip(f"needs the model file: {INSTALL}")
    running = LocalModel()
    running.ensure()
    yield running
    running.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis server of its own, which the tests of one worker share."""
    server = RedisServer().start()
    yield server
    server.close()


@pytest.fixture
def replay() -> Iterator[Replay]:
    answers = Replay()
    threading.Thread(target=answers.server.serve_forever, args=(0.02,), daemon=True).start()
    yield answers
    answers.server.shutdown()
    answers.server.server_close()


@pytest.fixture(scope="session")
def ioredis(pytestconfig: pytest.Config) -> Path:
    """A folder with ioredis, kept between runs."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no node or npm on PATH; apt-get install nodejs npm")
    cache = getattr(pytestconfig, "cache", None)  # absent with -p no:cacheprovider
    if cache is None:
        pytest.skip("ioredis is installed into pytest's cache, which is switched off")
    folder = Path(cache.mkdir("ioredis"))
    with FileLock(folder.parent / "ioredis.lock"):  # workers share the folder
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    if not (folder / "node_modules" / "ioredis").is_dir():
        quiet = ("--no-audit", "--no-fund", "--no-package-lock")
        command = ["npm", "install", *quiet, "--prefix", str(folder), "ioredis@^6"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            pytest.skip("npm install ioredis took too long")
        if done.returncode != 0:
            pytest.skip(f"npm could not install ioredis: {done.stderr.strip().splitlines()[-1:]}")
