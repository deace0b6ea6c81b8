"""Fixtures for the tests of the HTTP routes: the routes on a server in this process, and the real app."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.app.app_process import App
from tests.support.servers.api_server import ApiServer, serving
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer]:
    with serving() as running:
        yield running


@pytest.fixture
def served(api_server: ApiServer) -> Iterator[ApiServer]:
    """The running server with an empty store."""
    api_server.begin_anew()
    yield api_server
    wait_until(lambda: not [one for one in threading.enumerate() if one.name.startswith("turn-")], "the turns to end")


@pytest.fixture(scope="session")
def real_app(redis_server: RedisServer) -> Iterator[App]:
    """The real app on a real Redis, with the typist as its only provider that has a key."""
    folder = Path(tempfile.mkdtemp(prefix="ws-"))
    typist = Typist(words=2, seconds_per_word=0)
    keys = {"OPENAI_BASE_URL": typist.url, "OPENAI_API_KEY": "sk-test-typist", "OPENAI_MODEL": "typist-1"}
    with typist, App(folder / "data", {"REDIS_URL": redis_server.url, **keys}) as running:
        yield running
    log = running.log.read_text()
    shutil.rmtree(folder, ignore_errors=True)
    assert "Traceback" not in log, log[-4000:]
