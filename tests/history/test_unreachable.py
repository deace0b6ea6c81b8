"""A store that does not answer raises a clear error without a password, and recovers by itself.

That it does so within about a second follows from the timeouts and the number of attempts, which are tested instead.
"""

from __future__ import annotations

import signal
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from lib.errors import HistoryUnavailable, InvalidSettings
from lib.history import client as client_module
from lib.history.client import ANSWER_SECONDS, CONNECT_SECONDS, connect
from lib.history.factory import open_history
from lib.history.redis import RedisHistory
from lib.history.redis_errors import translated
from lib.settings import load_settings
from tests.support.servers.redis_servers import TTL, RedisServer, append, free_port, prompt, record, say

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


def every_method(store: RedisHistory) -> list[Callable[[], object]]:
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


def test_every_method_reports_a_dead_server_and_works_again_after_its_restart(
    server: RedisServer, store: RedisHistory
) -> None:
    say(store, "s")
    server.kill()
    for call in every_method(store):
        with pytest.raises(HistoryUnavailable, match="is not running"):
            call()
    server.start()
    assert len(store.load("s")) == 2
    say(store, "s")
    assert len(store.load("s")) == 4


def test_broken_connections_in_the_pool_cause_no_error(server: RedisServer, store: RedisHistory) -> None:
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


def test_a_server_that_hangs_is_reported(server: RedisServer, store: RedisHistory) -> None:
    store.ping()
    server.kill(signal.SIGSTOP)
    with pytest.raises(HistoryUnavailable, match="in time"):
        store.load("s")
    server.resume()
    say(store, "s")


def test_a_client_has_short_timeouts_and_no_retries_of_its_own() -> None:
    client = connect(f"redis://:{SECRET}@127.0.0.1:1/0")
    options = client.connection_pool.connection_kwargs
    assert (options["socket_connect_timeout"], options["socket_timeout"]) == (CONNECT_SECONDS, ANSWER_SECONDS)
    assert CONNECT_SECONDS + ANSWER_SECONDS < 2
    assert client.get_retry().get_retries() == 0
    client.close()


def test_a_cluster_client_has_the_same_timeouts(cluster_url: str) -> None:
    client = connect(cluster_url, cluster=True)
    options = client.get_connection_kwargs()
    assert (options["socket_connect_timeout"], options["socket_timeout"]) == (CONNECT_SECONDS, ANSWER_SECONDS)
    client.close()


class FailingClient:
    """A client whose every PING fails with this error. `attempts` counts them."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.attempts = 0

    def ping(self) -> None:
        self.attempts += 1
        raise self.error


def wrapped(message: str, cause: OSError) -> redis.ConnectionError:
    """The error as redis-py raises it: with the socket's error as its cause."""
    error = redis.ConnectionError(message)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (wrapped("Error 111", ConnectionRefusedError(111, "Connection refused")), 1),
        (wrapped("Error -2", socket.gaierror(-2, "Name or service not known")), 1),
        (redis.TimeoutError("Timeout reading from socket"), 1),
        (redis.AuthenticationError("WRONGPASS"), 1),
        (redis.ConnectionError("Connection closed by server."), 4),
    ],
    ids=["refused", "unknown host", "timed out", "wrong password", "connection lost"],
)
def test_only_a_lost_connection_is_tried_again(error: Exception, attempts: int) -> None:
    client = FailingClient(error)
    with pytest.raises(HistoryUnavailable):
        RedisHistory(client, TTL).ping()
    assert client.attempts == attempts


@pytest.mark.parametrize("cluster", [False, True])
def test_an_address_without_a_server_is_reported_without_its_password(cluster: bool) -> None:
    url = f"redis://user:{SECRET}@127.0.0.1:{free_port()}"
    store = RedisHistory(lambda: connect(url, cluster=cluster), TTL)
    with pytest.raises(HistoryUnavailable) as caught:
        store.load("s")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_host_that_accepts_connections_but_never_answers_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        store = RedisHistory(connect(f"redis://127.0.0.1:{listener.getsockname()[1]}"), TTL)
        with pytest.raises(HistoryUnavailable, match="in time"):
            store.ping()
        store.close()


def test_a_password_is_used_and_never_shown() -> None:
    port = free_port()
    server = RedisServer("--port", str(port), "--bind", "127.0.0.1", "--requirepass", SECRET).start()
    try:
        good = RedisHistory(connect(f"redis://:{SECRET}@127.0.0.1:{port}"), TTL)
        say(good, "s")
        good.close()
        for url, words in [
            (f"redis://127.0.0.1:{port}", "wants a password"),
            (f"redis://:{SECRET}-wrong@127.0.0.1:{port}", "password"),
            (f"redis://nobody:{SECRET}-wrong@127.0.0.1:{port}", "password"),
        ]:
            store = RedisHistory(connect(url), TTL)
            with pytest.raises(HistoryUnavailable, match=words) as caught:
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
def test_an_invalid_address_is_refused_without_quoting_it(url: str, cluster: bool) -> None:
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


def test_a_full_server_still_lets_chats_be_deleted(server: RedisServer, store: RedisHistory) -> None:
    say(store, "s")
    with server.client() as client:
        client.config_set("maxmemory", 1)
        store.clear("s")
    assert list(store.load("s")) == []


def infos(client: Any) -> int:
    """How often the server was asked INFO, without our own asking."""
    return int(client.info("commandstats").get("cmdstat_info", {"calls": 0})["calls"])


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random", "volatile-lru", "volatile-ttl"])
def test_a_server_that_deletes_chats_when_it_is_full_is_named_on_pages(
    server: RedisServer, store: RedisHistory, policy: str
) -> None:
    with server.client() as client:
        client.config_set("maxmemory", "100mb", "maxmemory-policy", policy)
        assert policy in (store.note or "")
        before = infos(client)
        assert policy in (store.note or "")  # remembered
        assert infos(client) == before + 1  # ours


@pytest.mark.parametrize(("memory", "policy"), [("100mb", "noeviction"), ("0", "allkeys-lru")])
def test_a_server_that_keeps_everything_is_not_warned_about(
    server: RedisServer, store: RedisHistory, memory: str, policy: str
) -> None:
    with server.client() as client:
        client.config_set("maxmemory", memory, "maxmemory-policy", policy)
    assert store.note is None


def test_a_changed_policy_is_noticed(server: RedisServer, store: RedisHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "EVICTION_CHECK_SECONDS", -1.0)
    with server.client() as client:
        client.config_set("maxmemory", "100mb", "maxmemory-policy", "allkeys-lfu")
        assert store.note is not None
        client.config_set("maxmemory-policy", "noeviction")
    assert store.note is None


def test_a_server_that_refuses_to_say_is_not_judged(server: RedisServer) -> None:
    with server.client() as client:
        client.config_set("maxmemory", "100mb", "maxmemory-policy", "allkeys-lru")
        client.execute_command("ACL SETUSER limited on nopass ~* &* +@all -info")
    store = RedisHistory(connect(f"unix://limited:x@{server.socket}"), TTL)
    assert store.note is None
    say(store, "s")
    store.close()


def test_the_nodes_of_a_cluster_are_asked_too(cluster_url: str) -> None:
    plain = connect(cluster_url)
    plain.config_set("maxmemory", "100mb", "maxmemory-policy", "volatile-lru")
    try:
        store = RedisHistory(lambda: connect(cluster_url, cluster=True), TTL)
        assert "volatile-lru" in (store.note or "")
        store.close()
    finally:
        plain.config_set("maxmemory", "0", "maxmemory-policy", "noeviction")
        plain.close()


def test_flushed_scripts_cause_no_error(server: RedisServer, store: RedisHistory) -> None:
    say(store, "s")
    with server.client() as client:
        client.script_flush()
    say(store, "s")
    assert len(store.load("s")) == 4


@pytest.mark.parametrize(
    ("error", "words", "next_step"),
    [
        (wrapped("Error", ssl.SSLCertVerificationError(1, "self-signed certificate")), "not trust", "ssl_ca_certs"),
        (wrapped("Error", ssl.SSLError(1, "WRONG_VERSION_NUMBER")), "may not speak TLS", "Correct REDIS_URL"),
        (wrapped("Timeout", TimeoutError("The handshake operation timed out")), "may not speak TLS", "Correct"),
        (redis.ConnectionError("Connection closed by server."), "closed the connection", "rediss://"),
        (redis.AuthenticationError("invalid username-password pair"), "password", "Correct REDIS_URL"),
        (redis.OutOfMemoryError("OOM command not allowed"), "out of memory", "more memory"),
        (redis.ReadOnlyError("You can't write"), "replica", "primary"),
        (redis.TimeoutError("Timeout reading from socket"), "in time", "keeps trying"),
    ],
)
def test_an_error_says_what_to_do_where_waiting_does_not_help(error: Exception, words: str, next_step: str) -> None:
    translation = translated(error)
    assert words in translation.what
    assert next_step in translation.next_step


@pytest.mark.parametrize(
    ("error", "words"),
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
def test_errors_are_translated_to_plain_words(error: Exception, words: str) -> None:
    translation = translated(error)
    assert isinstance(translation, HistoryUnavailable)
    assert words in translation.what
    assert SECRET not in str(translation.to_dict())


def test_a_dead_server_is_not_revived_again_at_once(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "REVIVE_SECONDS", 3600.0)
    revivals: list[RedisServer] = []

    def revive() -> bool:
        revivals.append(server.start())
        return True

    store = RedisHistory(connect(server.url), TTL, revive=revive)
    append(store, "s", [])
    server.kill()
    say(store, "s")
    assert len(store.turns("s")) == 2
    assert len(revivals) == 1
    server.kill()
    with pytest.raises(HistoryUnavailable):
        store.load("s")
    assert len(revivals) == 1
    monkeypatch.setattr(client_module, "REVIVE_SECONDS", 0.0)
    assert len(store.turns("s")) == 2
    assert len(revivals) == 2
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


def test_a_cluster_that_starts_late_is_found(cluster_url: str) -> None:
    addresses = iter(["redis://127.0.0.1:1", cluster_url])
    store = RedisHistory(lambda: connect(next(addresses), cluster=True), TTL)
    with pytest.raises(HistoryUnavailable):
        store.ping()
    say(store, "late")
    assert len(store.load("late")) == 2
    store.close()
