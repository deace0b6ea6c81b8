"""The keys of a session, their types, and their place in a cluster."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from lib.history.keys import INDEX, keys_of
from lib.history.redis import RedisHistory
from tests.support.servers.redis_servers import TTL, live_turn, prompt, say


@given(st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True))
def test_all_keys_of_a_session_are_in_one_cluster_slot(session_id: str) -> None:
    assert len({key_slot(key.encode()) for key in keys_of(session_id)}) == 1


def test_the_layout_is_the_documented_one(client: Any, redis_store: RedisHistory) -> None:
    say(redis_store, "s")
    redis_store.save_settings("s", {"model": "m"})
    redis_store.begin("s", prompt())
    redis_store.request_stop("s", live_turn(redis_store, "s").id)
    kinds = {key.decode(): client.type(key).decode() for key in client.scan_iter()}
    assert kinds == {
        "chat:s": "string",
        "{chat:s}:turns": "stream",
        "{chat:s}:live": "string",
        "{chat:s}:about": "hash",
        "{chat:s}:signal": "hash",
        "chats": "zset",
    }
    assert client.get("chat:s") == b'[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi!"}]'
    ((entry_id, fields),) = client.xrange("{chat:s}:turns")
    assert entry_id == b"1-0"
    assert json.loads(fields[b"turn"])["prompt"] == "Hello"
    assert all(TTL - 60 <= client.ttl(key) <= TTL for key in kinds if key != INDEX)
    assert client.ttl(INDEX) > TTL  # it still knows a session that has expired


def test_the_index_is_cleaned_when_written_and_not_when_read(client: Any, redis_store: RedisHistory) -> None:
    client.zadd("chats", {"expired long ago": 5, "never-existed": 9e12, "bad{id": 9e12})
    say(redis_store, "s")
    client.zadd("chats", {"expired-meanwhile": 6})
    assert [entry.session_id for entry in redis_store.sessions(10)] == ["s"]
    assert client.zcard("chats") == 4
    say(redis_store, "t")
    assert client.zrange("chats", 0, -1) == [b"s", b"t", b"bad{id", b"never-existed"]


def test_the_list_skips_any_number_of_expired_sessions(client: Any, redis_store: RedisHistory) -> None:
    for number in range(8):
        say(redis_store, f"s{number}")
    client.zadd("chats", {f"gone{number}": 9e12 for number in range(120)})
    assert [entry.session_id for entry in redis_store.sessions(7)] == [f"s{number}" for number in range(7, 0, -1)]


def test_a_damaged_session_does_not_hide_the_others(client: Any, redis_store: RedisHistory) -> None:
    say(redis_store, "good")
    say(redis_store, "bad")
    client.set("{chat:bad}:about", "not a hash")
    assert [(entry.session_id, entry.title) for entry in redis_store.sessions(5)] == [("bad", ""), ("good", "Hello")]
