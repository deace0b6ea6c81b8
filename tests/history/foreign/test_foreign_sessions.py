"""Listing and opening, on a server and in a cluster, with keys written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.errors import ChatError, CorruptHistory
from lib.history.client import RetryingClient, connect
from lib.history.embedded.snapshot import SnapshotServer
from lib.history.foreign import address_of, foreign_id
from lib.history.foreign.access import MOST_MESSAGES
from lib.history.foreign.sessions import ForeignSessions
from lib.history.redis import RedisHistory
from tests.history.foreign.conftest import as_reader
from tests.history.test_looking import nothing_changes
from tests.support.cases import foreign_keys as keys
from tests.support.servers.redis_servers import TTL, RedisServer, say

AGENTS = foreign_id("openai-agents", keys.AGENTS)
REDISVL = foreign_id("redisvl", keys.REDISVL)
ARRAY, LONG_ARRAY = foreign_id("json", keys.ARRAY), foreign_id("json", keys.LONG_ARRAY)


def roles(foreign: ForeignSessions, session_id: str) -> list[str]:
    return [message.role for message in foreign.messages(session_id)]


def test_a_user_who_may_only_read_lists_and_opens_them(written: Any, foreign: ForeignSessions) -> None:
    with nothing_changes(written):
        page = foreign.list_foreign()
        assert [(row.session_id, row.title, row.messages) for row in page.rows] == [
            (ARRAY, "conv:1", 2),
            (LONG_ARRAY, keys.LONG_ARRAY.decode(), 2),
            (AGENTS, "user-42", 4),
            (REDISVL, "support:s-7", 2),
        ]
        assert roles(foreign, ARRAY) == roles(foreign, LONG_ARRAY) == roles(foreign, REDISVL) == ["user", "assistant"]
        assert roles(foreign, AGENTS) == ["user", "assistant", "tool", "assistant"]
        assert (page.total, page.next_cursor, page.is_complete, page.notes) == (4, None, True, {})
        assert page.keys_looked_at == written.dbsize()
        assert page.rows[2].last_activity == 2_000
        assert 0 < (foreign.expires_in(ARRAY) or 0) <= 500
        assert foreign.expires_in(LONG_ARRAY) is None


def test_an_id_opens_no_key_that_is_not_in_the_list(foreign: ForeignSessions) -> None:
    for session_id in (
        foreign_id("json", b"password:1"),
        foreign_id("json", b"conv:"),
        foreign_id("json", b"chat:mine"),
        foreign_id("openai-agents", b"user:1"),
        foreign_id("langgraph", b"password:1"),
        foreign_id("redisvl", b"user"),
        foreign_id("json", b"conv:nobody" * 20),
        "no-such-id",
    ):
        with pytest.raises(ChatError, match="is not on the server"):
            foreign.messages(session_id)
        assert foreign.row(session_id) is None
        assert foreign.raw(session_id) is None


def test_a_long_list_comes_in_pages(client: Any, redis_server: RedisServer) -> None:
    with client.pipeline(transaction=False) as pipe:
        for number in range(3_000):
            pipe.set(f"conv:{number:04}", "[]")
            pipe.set(f"cache:{number}", "x")
        pipe.execute()
    foreign = as_reader(redis_server)
    first = foreign.list_foreign(25)
    assert (first.total, first.keys_looked_at, first.next_cursor) == (3_000, 6_000, "25")
    client.config_resetstat()
    second = foreign.list_foreign(25, first.next_cursor)
    assert [row.title for row in second.rows] == [f"conv:{number:04}" for number in range(25, 50)]
    stats = client.info("commandstats")
    assert "cmdstat_keys" not in stats
    assert "cmdstat_scan" not in stats  # the names are still known
    assert sum(stats[name]["calls"] for name in ("cmdstat_get", "cmdstat_pttl")) == 50
    assert foreign.list_foreign(25, "2975").next_cursor is None
    assert [row.title for row in foreign.list_foreign(25, None, "NV:0042").rows] == ["conv:0042"]
    assert foreign.list_foreign(25, None, "json array").total == 3_000
    for cursor in ("-1", "x", "1" * 30):
        with pytest.raises(ValueError, match="place in the list"):
            foreign.list_foreign(25, cursor)


def test_a_look_at_the_keys_is_remembered_for_a_moment(client: Any) -> None:
    now = 0.0
    foreign = ForeignSessions(RetryingClient(lambda: client, None), ("conv",), lambda: now)
    assert foreign.list_foreign().total == 0
    client.set("conv:1", "[]")
    assert foreign.list_foreign().total == 0
    now = 6.0
    assert foreign.list_foreign().total == 1
    client.set("conv:2", "[]")
    foreign.look_again()
    assert foreign.list_foreign().total == 2


def test_messages_that_did_not_change_are_the_same_objects(client: Any, foreign: ForeignSessions) -> None:
    before = foreign.messages(AGENTS)
    assert foreign.messages(AGENTS) is before
    client.rpush(keys.AGENTS, json.dumps({"role": "user", "content": "Thank you"}))
    after = foreign.messages(AGENTS)
    assert [mine is theirs for mine, theirs in zip(before, after, strict=False)] == [True] * len(before)
    assert after[-1].text == "Thank you"


def test_what_is_not_a_conversation_is_said_in_the_list_and_when_it_is_opened(
    client: Any, redis_server: RedisServer
) -> None:
    client.set("agents:session:a:messages", "text")
    client.lpush("conv:list", "x")
    client.set("conv:object", '{"a": 1}')
    client.set("conv:broken", '[{"role": "us')
    client.hset("metrics:cpu:1795710296.5", mapping={"value": 1})
    client.set("checkpoint_latest:t:__empty__", "password:1")
    client.hset("support:s:1795710296.5:0000aaaa", mapping={"role": "user", "content": "a", "session_tag": "s"})
    client.set("support:s:1795710297.5:0000aaab", "no hash")
    foreign = as_reader(redis_server)
    page = foreign.list_foreign()
    notes = {row.title: page.notes.get(row.session_id, "") for row in page.rows}
    assert notes.pop("metrics:cpu").startswith("The keys look like RedisVL's, but hold no messages")
    assert "is a Redis string, and not the list" in notes.pop("a")
    assert "is a Redis list, and not the string" in notes.pop("conv:list")
    assert "an object, and not an array" in notes.pop("conv:object")
    assert "not JSON" in notes.pop("conv:broken")
    assert "names something else" in notes.pop("t")
    for row in page.rows:
        if row.title == "metrics:cpu":  # shown as what it is, should somebody open it
            assert roles(foreign, row.session_id) == ["unreadable"]
        elif row.title != "support:s":
            with pytest.raises(CorruptHistory):
                foreign.messages(row.session_id)
    found = foreign.messages(foreign_id("redisvl", b"support:s"))
    assert [message.role for message in found] == ["user", "unreadable"]
    assert "another Redis type" in found[1].text


def test_a_conversation_that_is_too_large_is_refused_before_it_is_read(client: Any, redis_server: RedisServer) -> None:
    client.rpush("agents:session:long:messages", *["{}"] * (MOST_MESSAGES + 1))
    client.set("conv:large", b"x" * (65 * 1024 * 1024))
    foreign = as_reader(redis_server)
    client.config_resetstat()
    for session_id in (foreign_id("openai-agents", b"agents:session:long:messages"), foreign_id("json", b"conv:large")):
        with pytest.raises(ChatError, match="too large"):
            foreign.messages(session_id)
    assert not {"cmdstat_get", "cmdstat_lrange"} & set(client.info("commandstats"))


def test_a_cluster_is_read_as_well(cluster_url: str) -> None:
    client = connect(cluster_url, cluster=True)
    client.flushall()
    keys.write(client)
    foreign = ForeignSessions(RetryingClient(lambda: connect(cluster_url, cluster=True), None), ("conv",))
    before = {key: (client.dump(key), client.pexpiretime(key)) for key in client.scan_iter()}
    assert [row.session_id for row in foreign.list_foreign().rows] == [ARRAY, LONG_ARRAY, AGENTS, REDISVL]
    assert foreign.list_foreign().keys_looked_at == len(before)
    assert roles(foreign, REDISVL) == roles(foreign, LONG_ARRAY) == ["user", "assistant"]
    assert roles(foreign, AGENTS) == ["user", "assistant", "tool", "assistant"]
    assert {key: (client.dump(key), client.pexpiretime(key)) for key in client.scan_iter()} == before
    client.close()


def test_the_id_of_a_long_key_holds_its_digest(foreign: ForeignSessions) -> None:
    address = address_of(LONG_ARRAY)
    assert address is not None
    assert address.key is None
    assert foreign.about(LONG_ARRAY).title == keys.LONG_ARRAY.decode()


def test_the_snapshot_of_a_machine_without_a_server_is_read_as_well(tmp_path: Path) -> None:
    snapshot = SnapshotServer(tmp_path)
    keys.write(snapshot.client)
    foreign = ForeignSessions(RetryingClient(lambda: snapshot.client, None), ("conv",))
    assert [row.session_id for row in foreign.list_foreign().rows] == [ARRAY, LONG_ARRAY, AGENTS, REDISVL]
    assert roles(foreign, AGENTS) == ["user", "assistant", "tool", "assistant"]
    snapshot.close()


def test_chats_that_another_service_wrote_are_found_until_somebody_goes_on_with_them(
    client: Any, redis_server: RedisServer
) -> None:
    store = RedisHistory(connect(redis_server.url), TTL)
    say(store, "ours", "Hello")
    for session_id in ("theirs-1", "theirs-2"):
        client.set(f"chat:{session_id}", '[{"role": "user", "content": "Hi"}]')
    client.set("chat:not/an-id", "[]")
    client.set("chats:theirs-3", "[]")
    foreign = as_reader(redis_server)
    assert foreign.unlisted() == ["theirs-1", "theirs-2"]
    assert foreign.unlisted("S-2") == ["theirs-2"]
    say(store, "theirs-1", "Hello")
    assert foreign.unlisted() == ["theirs-2"]
    store.close()
