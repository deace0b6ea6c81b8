"""Fixtures for the tests of the HTTP routes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.support.servers.api_server import ApiServer, serving
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
