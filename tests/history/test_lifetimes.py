"""A write never shortens the life of messages that another service stored, in any kind of store."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from lib.errors import ProviderUnavailable
from lib.history.redis import RedisHistory
from lib.messages import assistant, user
from tests.support.servers.redis_servers import TTL, append, as_dicts, commit, prompt, say
from tests.support.store_kits import Kit

MESSAGES = [user("hi"), assistant("ok")]
WEEK = 7 * 86_400


def stored_elsewhere(kit: Kit, lifetime: float, blanks: int = 0) -> None:
    """Another service stores two messages for so many seconds, or for ever."""
    if kit.client is None:
        kit.store.overwrite("s", MESSAGES, lifetime)
        return
    value = json.dumps(as_dicts(MESSAGES)) + " " * blanks
    kit.client.set("chat:s", value, ex=None if math.isinf(lifetime) else int(lifetime))


def failed_turn(kit: Kit) -> None:
    live = prompt("a question")
    kit.store.begin("s", live)
    kit.store.heartbeat("s", prompt("a question", id=live.id, error=ProviderUnavailable("It went away.")))
    kit.store.discard("s", live.id)


WRITES: dict[str, Callable[[Kit], Any]] = {
    "a failed turn": failed_turn,
    "a turn": lambda kit: say(kit.store, "s"),
    "an import": lambda kit: kit.store.import_messages("s", MESSAGES, "a file"),
    "settings": lambda kit: kit.store.save_settings("s", {"model": "m"}),
    "a mark": lambda kit: kit.store.mark("s", 0, "pinned"),
    "summaries": lambda kit: kit.store.keep_summaries("s", []),
}


@pytest.mark.parametrize("write", list(WRITES))
def test_messages_that_were_stored_for_ever_stay_so(kit: Kit, write: str) -> None:
    stored_elsewhere(kit, math.inf)
    assert kit.store.expires_in("s") is None
    for _ in range(2):
        WRITES[write](kit)
        assert len(kit.store.load("s")) >= 2
        assert kit.store.expires_in("s") is None
        if kit.client is not None:
            assert kit.client.ttl("chat:s") == -1
            assert kit.client.ttl("{chat:s}:about") == -1  # the records live as long as the messages


@pytest.mark.parametrize("write", list(WRITES))
def test_a_later_deadline_stays(kit: Kit, write: str) -> None:
    stored_elsewhere(kit, WEEK)
    for _ in range(2):
        WRITES[write](kit)
        assert WEEK - 60 < kit.store.expires_in("s") <= WEEK


def test_an_earlier_deadline_is_put_off(kit: Kit) -> None:
    stored_elsewhere(kit, 100)
    failed_turn(kit)
    assert TTL - 60 < kit.store.expires_in("s") <= TTL


def test_a_failed_turn_leaves_a_value_with_blanks_and_its_life_alone(client: Any, redis_store: RedisHistory) -> None:
    value = json.dumps(as_dicts(MESSAGES)).encode() + b" " * 500
    client.set("chat:s", value)
    live = prompt("a question")
    redis_store.begin("s", live)
    redis_store.heartbeat("s", prompt("a question", id=live.id, error=ProviderUnavailable("It went away.")))
    assert client.get("chat:s") == value
    assert client.ttl("chat:s") == -1
    assert 0 < client.ttl("{chat:s}:live") <= TTL  # a question that waits for a decision does not wait for ever


def test_a_cleared_session_that_was_stored_for_ever_is_an_ordinary_one_again(kit: Kit) -> None:
    stored_elsewhere(kit, math.inf)
    say(kit.store, "s")
    kit.store.clear("s")
    say(kit.store, "s")
    assert TTL - 60 < kit.store.expires_in("s") <= TTL


def test_sessions_that_never_expire_are_listed_as_such(kit: Kit) -> None:
    stored_elsewhere(kit, math.inf)
    say(kit.store, "s")
    assert [entry.expires_in for entry in kit.store.sessions(5)] == [None]


@pytest.mark.parametrize("lifetime", [math.inf, WEEK])
def test_later_changes_of_another_service_are_noticed(
    client: Any, open_store: Callable[[], RedisHistory], lifetime: float
) -> None:
    store, expiry = open_store(), None if math.isinf(lifetime) else WEEK
    truth = [{"role": "user", "content": f"message {number} " * 40} for number in range(9)]
    client.set("chat:s", json.dumps(truth), ex=expiry)
    assert as_dicts(store.load("s")) == truth
    for step in range(4):
        append(store, "s", [user("new"), assistant("yes")])
        truth = json.loads(client.get("chat:s"))
        assert as_dicts(store.load("s")) == truth
        truth[step] = {"role": "user", "content": f"Message {step} " * 40}
        client.set("chat:s", json.dumps(truth), ex=expiry)
        assert as_dicts(store.load("s")) == truth


def test_a_turn_on_messages_that_were_stored_for_ever_can_be_committed(kit: Kit) -> None:
    stored_elsewhere(kit, math.inf, blanks=500)
    live = prompt("more")
    kit.store.begin("s", live)
    commit(kit.store, "s", live)
    assert [message.role for message in kit.store.load("s")] == ["user", "assistant"] * 2
