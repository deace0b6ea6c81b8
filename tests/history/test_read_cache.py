"""A load from the cache gives the same as a load from the store, whatever other services write."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from lib.errors import CorruptHistory
from lib.history.read_cache import CACHED_SESSIONS
from lib.history.redis import RedisHistory
from lib.messages import assistant, user
from tests.support.servers.redis_servers import TTL, append, as_dicts, say

PAIR = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "ok"},
]  # short and repetitive, so that wrong offsets are likely to go unnoticed


def foreign_write(client: Any, messages: list[Any]) -> None:
    """Write the value as the source document's saveHistory does."""
    client.execute_command("SETEX", "chat:s", TTL, json.dumps(messages, ensure_ascii=False, separators=(",", ":")))


def edited(messages: list[Any], rng: random.Random) -> list[Any]:
    """Change one message at random and keep its length."""
    changed = [dict(message) for message in messages]
    if changed:
        at = rng.randrange(len(changed))
        changed[at]["content"] = "".join("x" if char != "x" else "y" for char in changed[at]["content"])
    return changed


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cached_loads_are_right_with_any_mix_of_writers(
    client: Any, open_store: Callable[[], RedisHistory], seed: int
) -> None:
    rng = random.Random(seed)
    ours, other = open_store(), open_store()  # like two processes, each with its own cache
    truth: list[Any] = []
    for step in range(400):
        what = rng.choice(["ours", "ours", "ours", "other", "push", "trim", "edit", "clear", "shuffle", "nothing"])
        if what in ("ours", "other"):
            append(ours if what == "ours" else other, "s", [user("hi"), assistant("ok" * rng.randrange(3))])
            truth = json.loads(client.get("chat:s"))
        elif what == "clear" and rng.random() < 0.2:
            (ours if step % 2 else other).clear("s")
            truth = []
        elif what in ("push", "trim", "edit", "shuffle") and truth:
            if what == "push":
                truth = truth + PAIR
            elif what == "trim":
                truth = truth[:1] + truth[1 + rng.randrange(4) :]
                truth = truth + (PAIR if rng.random() < 0.7 else [])
            elif what == "edit":
                truth = edited(truth, rng)
            else:
                rng.shuffle(truth)
            foreign_write(client, truth)
        for store in (ours, other):
            if rng.random() < 0.7:
                assert as_dicts(store.load("s")) == truth


def test_an_edit_of_the_same_length_far_from_the_end_is_noticed(client: Any, redis_store: RedisHistory) -> None:
    for number in range(50):
        say(redis_store, "s", f"question {number}", "x" * 50)
    before = redis_store.load("s")
    value = client.get("chat:s").replace(b"question 3", b"Question 3")
    client.set("chat:s", value, ex=TTL)
    assert redis_store.load("s")[6].content == "Question 3"
    assert before[6].content == "question 3"


def test_an_append_by_another_service_keeps_the_earlier_message_objects(client: Any, redis_store: RedisHistory) -> None:
    say(redis_store, "s")
    before = redis_store.load("s")
    foreign_write(client, as_dicts(before) + PAIR)
    after = redis_store.load("s")
    assert len(after) == 4
    assert after[0] is before[0]
    assert after[1] is before[1]


def test_a_rewritten_history_has_only_new_message_objects(client: Any, redis_store: RedisHistory) -> None:
    say(redis_store, "s", "one")
    before = redis_store.load("s")
    foreign_write(client, [{"role": "user", "content": "One"}, as_dicts(before)[1]])
    after = redis_store.load("s")
    # token counts are cached per object for the whole prefix, so the last message must be a new object too
    assert after[1] == before[1]
    assert after[1] is not before[1]


def test_a_cached_load_transfers_only_the_new_messages(client: Any, redis_store: RedisHistory) -> None:
    for number in range(100):
        say(redis_store, "s", f"{number} " * 50)
    redis_store.load("s")
    say(redis_store, "s", "short")
    before = client.info("stats")["total_net_output_bytes"]
    redis_store.load("s")
    redis_store.load("s")
    spent = client.info("stats")["total_net_output_bytes"] - before - 10_000  # the two INFO answers
    assert spent < 2_000


def test_a_cached_load_notices_broken_bytes_at_the_end(client: Any, redis_store: RedisHistory) -> None:
    say(redis_store, "s")
    redis_store.load("s")
    value = client.get("chat:s")[:-1] + b',{"role":1}]'
    client.set("chat:s", value, keepttl=True)
    with pytest.raises(CorruptHistory) as caught:
        redis_store.load("s")
    assert caught.value.where == "array position 2"
    assert caught.value.raw == value


def test_the_least_recently_read_session_leaves_the_cache(redis_store: RedisHistory) -> None:
    for number in range(CACHED_SESSIONS + 1):
        say(redis_store, f"s{number}")
    read = [redis_store.load(f"s{number}") for number in range(CACHED_SESSIONS + 1)]
    assert redis_store.load(f"s{CACHED_SESSIONS}") is read[-1]
    assert redis_store.load("s1") is read[1]
    again = redis_store.load("s0")
    assert again == read[0]
    assert again[0] is not read[0][0]
