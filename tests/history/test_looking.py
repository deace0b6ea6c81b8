"""Reading changes no value and no time to live, and runs no write command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lib.history import HistoryStore
from lib.history.redis import RedisHistory
from tests.support.servers.redis_servers import everything, prompt, say
from tests.support.store_kits import Kit

READS = {
    "get",
    "getrange",
    "strlen",
    "hget",
    "hmget",
    "hgetall",
    "hexists",
    "pttl",
    "pexpiretime",
    "type",
    "xrange",
    "xrevrange",
    "xlen",
    "zrange",
    "zrevrange",
    "exists",
    "time",
    "ping",
    "eval",
    "evalsha",
    "info",
    "config|resetstat",
    "scan",
    "dump",
    "select",
    "hello",
    "client|setinfo",
    "client|setname",
    "script|load",
}


def read_everything(store: HistoryStore, *session_ids: str) -> None:
    store.ping()
    store.sessions(10)
    for session_id in session_ids:
        store.load(session_id)
        store.load(session_id)
        store.live(session_id)
        store.turns(session_id)
        store.turns(session_id, 1)
        store.turn(session_id, 1)
        store.about(session_id)
        store.expires_in(session_id)
        store.raw(session_id)


@contextmanager
def nothing_changes(client: Any) -> Iterator[None]:
    before = everything(client)
    yield
    assert everything(client) == before


def test_reading_changes_no_value_and_no_deadline(kit: Kit) -> None:
    if kit.client is None:
        say(kit.store, "s")
        left = kit.store.expires_in("s")
        read_everything(kit.store, "s", "new")
        assert kit.store.expires_in("s") <= left
        return
    say(kit.store, "s")
    kit.store.save_settings("s", {"model": "m"})
    kit.store.begin("s", prompt())
    kit.age("s", 60)  # so that the turn counts as interrupted
    kit.client.set("chat:foreign", '[{"role":"user","content":"from elsewhere"}]', ex=50)
    kit.client.set("chat:forever", "[]")
    with nothing_changes(kit.client):
        read_everything(kit.store, "s", "foreign", "forever", "new")


def test_reading_runs_no_write_command(client: Any, redis_store: RedisHistory) -> None:
    say(redis_store, "s")
    redis_store.begin("s", prompt())
    client.config_resetstat()
    read_everything(redis_store, "s", "new")
    used = {name.removeprefix("cmdstat_") for name in client.info("commandstats")}
    assert used <= READS
