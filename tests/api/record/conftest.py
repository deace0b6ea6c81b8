"""Fixtures for the recorder's tests: its routes on a real server, with a real Redis behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.history.client import connect
from lib.history.redis import RedisHistory
from tests.support.servers.record_server import RecordServer, recording
from tests.support.servers.redis_servers import TTL, RedisServer


@pytest.fixture
def served(redis_server: RedisServer) -> Iterator[RecordServer]:
    with redis_server.client() as client:
        client.flushall()
    store = RedisHistory(connect(redis_server.url), TTL)
    with recording(store) as running:
        yield running
    store.close()
