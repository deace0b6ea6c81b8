"""Fixtures for the history tests. `kit` runs a test with every kind of store: a real Redis server, a real cluster with
one node, the embedded server, the snapshot and memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from lib.history import HistoryStore
from lib.history.client import connect
from lib.history.embedded.server import EmbeddedServer, can_embed
from lib.history.embedded.snapshot import NOTE, SnapshotServer
from lib.history.memory import InMemoryHistory
from lib.history.redis import RedisHistory
from tests.support.servers.redis_servers import TTL, RedisServer, free_port
from tests.support.store_kits import Kit, aged_record
from tests.support.waiting import wait_until


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Any]:
    """A plain redis-py client of the test server, whose database is empty."""
    with redis_server.client() as found:
        found.flushall()
        yield found


@pytest.fixture
def open_store(redis_server: RedisServer, client: Any) -> Iterator[Callable[[], RedisHistory]]:
    """Opens stores on the empty database. Each has its own cache, like a separate process."""
    opened: list[RedisHistory] = []

    def open_one() -> RedisHistory:
        opened.append(RedisHistory(connect(redis_server.url), TTL))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def redis_store(open_store: Callable[[], RedisHistory]) -> RedisHistory:
    return open_store()


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    port = free_port()
    # the default bus port is port + 10,000, which may be above 65,535
    bus = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    server = RedisServer("--port", str(port), "--bind", "127.0.0.1", *bus).start()
    with server.client() as node:
        node.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: node.cluster("info")["cluster_state"] == "ok", "the cluster")
    yield f"redis://127.0.0.1:{port}"
    server.close()


@pytest.fixture(scope="session")
def embedded_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture(params=["redis", "cluster", "embedded", "snapshot", "memory"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
    made = {"memory": _memory, "snapshot": _snapshot, "embedded": _embedded, "redis": _redis, "cluster": _cluster}
    found = made[request.param](request, tmp_path)
    yield found
    found.store.close()
    if found.client is not None:
        found.client.close()


@pytest.fixture
def store(kit: Kit) -> HistoryStore:
    found: HistoryStore = kit.store
    return found


def _memory(request: pytest.FixtureRequest, folder: Path) -> Kit:
    ahead = 0.0

    def age(session_id: str, seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    return Kit(InMemoryHistory(TTL, lambda: time.time() + ahead), None, age)


def _snapshot(request: pytest.FixtureRequest, folder: Path) -> Kit:
    server = SnapshotServer(folder)
    store = RedisHistory(server.client, TTL, note=NOTE, written=server.written, close=server.close)
    return Kit(store, server.client, aged_record(server.client))


def _embedded(request: pytest.FixtureRequest, folder: Path) -> Kit:
    if not can_embed():
        pytest.skip("there is no server binary for this machine; apt-get install redis-server")
    server = EmbeddedServer(request.getfixturevalue("embedded_dir"))
    server.start()
    server.wait()
    client = redis.Redis(unix_socket_path=str(server.socket), protocol=2)
    client.flushall()
    store = RedisHistory(connect(server.url), TTL, revive=server.revive, close=server.close)
    return Kit(store, client, aged_record(client))


def _redis(request: pytest.FixtureRequest, folder: Path) -> Kit:
    client = request.getfixturevalue("client")
    store = RedisHistory(connect(request.getfixturevalue("redis_server").url), TTL)
    return Kit(store, client, aged_record(client))


def _cluster(request: pytest.FixtureRequest, folder: Path) -> Kit:
    url = request.getfixturevalue("cluster_url")
    client = connect(url, cluster=True)
    client.flushall()
    return Kit(RedisHistory(lambda: connect(url, cluster=True), TTL), client, aged_record(client))
