"""A store that does not answer is said within about a second, in words without a password, and comes back by itself."""

from __future__ import annotations

import signal
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from lib.errors import HistoryUnavailable, InvalidSettings
from lib.history import client as client_module
from lib.history.client import connect
from lib.history.factory import open_history
from lib.history.redis import RedisHistory
from lib.history.redis_errors import translated
from lib.settings import load_settings
from tests.support.redis_servers import TTL, RedisServer, append, free_port, prompt, record, say

SECRET = "correct-horse"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    found = RedisServer("--appendonly", "yes", "--appendfsync", "always").start()
    yield found
    found.close()


@pytest.fixture
def store(server: RedisServer) -> Iterator[RedisHistory]:
    found = RedisHistory(connect(server.url), TTL)
    yield found
    found.close()


def everything(store: RedisHistory) -> list[Any]:
    live = prompt()
    return [
        store.ping,
        lambda: store.load("s"),
        lambda: store.begin("s", live),
        lambda: store.live("s"),
        lambda: store.heartbeat("s", live),
        lambda: store.request_stop("s", live.id),
        lambda: store.commit("s", live.id, [], record(live)),
        lambda: store.discard("s", live.id),
        lambda: store.clear("s"),
        lambda: store.turns("s"),
        lambda: store.turn("s", 1),
        lambda: store.about("s"),
        lambda: store.save_settings("s", {}),
        lambda: store.mark("s", 0, "muted"),
        lambda: store.keep_summaries("s", []),
        lambda: store.keep_handles("s", {}),
        lambda: store.sessions(5),
        lambda: store.expires_in("s"),
        lambda: store.raw("s"),
    ]


def test_every_method_says_so_at_once_and_works_again_afterwards(server: RedisServer, store: RedisHistory) -> None:
    say(store, "s")
    server.kill()
    started = time.monotonic()
    for call in everything(store):
        with pytest.raises(HistoryUnavailable, match="is not running"):
            call()
    assert time.monotonic() - started < 1
    server.start()
    assert len(store.load("s")) == 2
    say(store, "s")
    assert len(store.load("s")) == 4


def test_connections_that_broke_in_the_pool_are_not_noticed(server: RedisServer, store: RedisHistory) -> None:
    threads = [threading.Thread(target=say, args=(store, f"s{number}")) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.kill(signal.SIGTERM)
    server.start()
    for number in range(8):
        say(store, f"s{number}")
        assert len(store.load(f"s{number}")) == 4


def test_a_server_that_hangs_is_given_up_on(
    server: RedisServer, store: RedisHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.ping()
    server.kill(signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(HistoryUnavailable, match="in time"):
        store.load("s")
    assert time.monotonic() - started < client_module.ANSWER_SECONDS * 1.5
    server.resume()
    say(store, "s")


def test_the_client_waits_about_a_second_at_most_and_tries_once() -> None:
    client = connect(f"redis://:{SECRET}@127.0.0.1:1/0")
    options = client.connection_pool.connection_kwargs
    assert options["socket_connect_timeout"] <= 1
    assert options["socket_timeout"] <= 1
    assert client.get_retry().get_retries() == 0
    client.close()


@pytest.mark.parametrize("cluster", [False, True])
def test_nobody_at_the_address(cluster: bool) -> None:
    url = f"redis://user:{SECRET}@127.0.0.1:{free_port()}"
    store = RedisHistory(lambda: connect(url, cluster=cluster), TTL)
    started = time.monotonic()
    with pytest.raises(HistoryUnavailable) as caught:
        store.load("s")
    assert time.monotonic() - started < 1.5
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_host_that_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        store = RedisHistory(connect(f"redis://127.0.0.1:{listener.getsockname()[1]}"), TTL)
        started = time.monotonic()
        with pytest.raises(HistoryUnavailable, match="in time"):
            store.ping()
        assert time.monotonic() - started < 2
        store.close()


def test_a_password_is_used_and_never_told() -> None:
    port = free_port()
    server = RedisServer("--port", str(port), "--bind", "127.0.0.1", "--requirepass", SECRET).start()
    try:
        good = RedisHistory(connect(f"redis://:{SECRET}@127.0.0.1:{port}"), TTL)
        say(good, "s")
        good.close()
        for url, said in [
            (f"redis://127.0.0.1:{port}", "wants a password"),
            (f"redis://:{SECRET}-wrong@127.0.0.1:{port}", "password"),
            (f"redis://nobody:{SECRET}-wrong@127.0.0.1:{port}", "password"),
        ]:
            store = RedisHistory(connect(url), TTL)
            with pytest.raises(HistoryUnavailable, match=said) as caught:
                store.load("s")
            assert SECRET not in "".join(traceback.format_exception(caught.value))
            assert SECRET not in repr(caught.value)
            store.close()
    finally:
        server.close()


@pytest.mark.parametrize(
    "url", [f"redis://:{SECRET}/x@host:99", f"redis://:{SECRET}#@host:{SECRET}", f"redis://[{SECRET}", "redis://h:x"]
)
@pytest.mark.parametrize("cluster", [False, True])
def test_an_address_that_cannot_be_read_is_refused_without_being_quoted(url: str, cluster: bool) -> None:
    with pytest.raises(InvalidSettings, match="percent-encoded") as caught:
        connect(url, cluster=cluster)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_server_out_of_memory_refuses_writes_and_still_reads(server: RedisServer, store: RedisHistory) -> None:
    say(store, "s")
    with server.client() as client:
        client.config_set("maxmemory", "1mb")
        with pytest.raises(HistoryUnavailable, match="out of memory"):
            say(store, "s")
        assert len(store.load("s")) == 2
        client.config_set("maxmemory", "0")
    say(store, "t")


def test_a_replica_refuses_writes_and_still_reads(server: RedisServer, store: RedisHistory) -> None:
    say(store, "s")
    with server.client() as client:
        client.replicaof("127.0.0.1", free_port())
        with pytest.raises(HistoryUnavailable, match="replica"):
            say(store, "s")
        assert len(store.load("s")) == 2


def test_a_server_whose_scripts_were_flushed_is_not_noticed(server: RedisServer, store: RedisHistory) -> None:
    say(store, "s")
    with server.client() as client:
        client.script_flush()
    say(store, "s")
    assert len(store.load("s")) == 4


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (redis.BusyLoadingError("Redis is loading the dataset in memory"), "loading"),
        (redis.ResponseError("MISCONF Errors writing to the AOF file"), "cannot save"),
        (redis.ResponseError("CLUSTERDOWN Hash slot not served"), "cluster"),
        (redis.ResponseError(f"ERR unknown command 'AUTH', with args beginning with: '{SECRET}'"), "error"),
        (redis.AuthenticationError(f"invalid username-password pair {SECRET}"), "password"),
        (redis.exceptions.MovedError("1234 127.0.0.1:7001"), "CLUSTER"),
        (redis.MaxConnectionsError("Too many connections"), "connection"),
        (OSError(5, "Input/output error"), "connection"),
    ],
)
def test_failures_are_told_in_words(error: Exception, said: str) -> None:
    told = translated(error)
    assert isinstance(told, HistoryUnavailable)
    assert said in told.what
    assert SECRET not in str(told.to_dict())


def test_a_dead_server_is_revived_at_most_once_a_second(server: RedisServer) -> None:
    calls: list[float] = []

    def revive() -> bool:
        calls.append(time.monotonic())
        server.start()
        return True

    store = RedisHistory(connect(server.url), TTL, revive=revive)
    append(store, "s", [])
    server.kill()
    say(store, "s")
    assert len(store.turns("s")) == 2
    assert len(calls) == 1
    server.kill()
    with pytest.raises(HistoryUnavailable):
        store.load("s")
    assert len(calls) == 1
    store.close()


@pytest.mark.parametrize("cluster", ["0", "1"])
def test_opening_a_store_does_not_wait_for_its_server(cluster: str) -> None:
    url = f"redis://:{SECRET}@127.0.0.1:{free_port()}"
    settings = load_settings({"REDIS_URL": url, "WINDOWSEAT_REDIS_CLUSTER": cluster}, Path("none"))
    store = open_history(settings)
    assert store.note is None
    for _ in range(2):
        with pytest.raises(HistoryUnavailable):
            store.ping()
    store.close()


def test_a_cluster_that_comes_late_is_found(cluster_url: str) -> None:
    tries = iter(["redis://127.0.0.1:1", cluster_url])
    store = RedisHistory(lambda: connect(next(tries), cluster=True), TTL)
    with pytest.raises(HistoryUnavailable):
        store.ping()
    say(store, "late")
    assert len(store.load("late")) == 2
    store.close()
