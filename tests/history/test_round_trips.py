"""How many round trips each operation takes, by the server's own count of reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lib.history.client import connect
from lib.history.redis import RedisHistory
from lib.messages import user
from tests.support.servers.redis_servers import TTL, as_dicts, commit, prompt, say


@pytest.fixture
def cluster_client(cluster_url: str) -> Iterator[Any]:
    """A plain client of the cluster's only node, whose database is empty."""
    client = connect(cluster_url)
    client.flushall()
    yield client
    client.close()


def round_trips(client: Any, operation: Callable[[], object]) -> int:
    """How many requests the server read during the operation."""
    before = client.info("stats")["total_reads_processed"]
    operation()
    return int(client.info("stats")["total_reads_processed"] - before - 1)


def turn(store: RedisHistory, session_id: str = "s") -> None:
    live = prompt()
    store.begin(session_id, live)
    commit(store, session_id, live)


@pytest.mark.parametrize("stored", [0, 10, 2_000])
def test_a_turn_is_stored_in_two_round_trips(client: Any, open_store: Callable[[], RedisHistory], stored: int) -> None:
    turn(open_store(), "another")  # from now on the server has the scripts
    if stored:
        open_store().import_messages("s", [user(f"message {number}") for number in range(stored)], "a test")
    store = open_store()
    store.load("s")
    assert round_trips(client, lambda: turn(store)) == 2
    assert round_trips(client, lambda: turn(store)) == 2
    assert len(store.load("s")) == stored + 4
    assert [entry.session_id for entry in store.sessions(5)] == ["s", "another"]


def test_reading_writing_and_listing_take_one_round_trip_each(client: Any, redis_store: RedisHistory) -> None:
    turn(redis_store)
    live = prompt()
    redis_store.begin("s", live)
    redis_store.heartbeat("s", live)
    redis_store.save_settings("s", {})
    redis_store.load("s")
    redis_store.live("s")
    operations: list[Callable[[], object]] = [
        lambda: redis_store.load("s"),
        lambda: redis_store.live("s"),
        lambda: redis_store.about("s"),
        lambda: redis_store.turns("s", 1),
        lambda: redis_store.heartbeat("s", live),
        lambda: redis_store.save_settings("s", {}),
    ]
    assert [round_trips(client, operation) for operation in operations] == [1] * len(operations)
    assert round_trips(client, lambda: redis_store.sessions(50)) == 2


def test_a_process_that_has_not_read_the_session_reads_it_before_its_first_commit(
    client: Any, open_store: Callable[[], RedisHistory]
) -> None:
    turn(open_store())
    open_store().load("s")
    store = open_store()
    store.ping()  # connected
    assert round_trips(client, lambda: turn(store)) == 3
    assert round_trips(client, lambda: turn(store)) == 2


def test_each_script_is_sent_once_to_a_server_without_it(client: Any, redis_store: RedisHistory) -> None:
    turn(redis_store)
    redis_store.load("s")
    client.script_flush()
    assert round_trips(client, lambda: turn(redis_store)) == 4
    assert round_trips(client, lambda: turn(redis_store)) == 2
    assert len(redis_store.load("s")) == 6
    assert len(redis_store.turns("s")) == 3


def test_in_a_cluster_the_index_takes_its_own_round_trip(cluster_url: str, cluster_client: Any) -> None:
    store = RedisHistory(lambda: connect(cluster_url, cluster=True), TTL)
    turn(store)
    store.load("s")
    assert round_trips(cluster_client, lambda: turn(store)) == 4
    store.close()


def test_a_cluster_behind_a_plain_address_is_recognised_and_remembered(cluster_client: Any) -> None:
    store = RedisHistory(cluster_client, TTL)
    say(store, "s", "one")
    say(store, "s", "two")
    assert [message["content"] for message in as_dicts(store.load("s"))] == ["one", "Hi!", "two", "Hi!"]
    assert [entry.session_id for entry in store.sessions(5)] == ["s"]
    assert round_trips(cluster_client, lambda: turn(store)) == 4
