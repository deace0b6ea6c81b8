"""A recorded conversation becomes a new session in one write, with its turns, and never replaces anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib.errors import ImportRefused, TurnInProgress
from lib.history import HistoryStore, Recording
from lib.history.keys import INDEX, keys_of
from lib.history.lua_messages import RESTORE
from lib.history.redis import RedisHistory
from lib.messages import assistant, user
from tests.history.test_importing import Interfering
from tests.support.servers.redis_servers import TTL, as_dicts, prompt, record, say
from tests.support.store_kits import Kit

PROMPTS = ("I am Ada", "Who am I?", "And you?")
RECORDING = Recording(
    "A talk with Ada",
    [message for text in PROMPTS for message in (user(text), assistant("Hi!"))],
    [record(prompt(text, id=f"recorded-{place}"), request_sha256="ab") for place, text in enumerate(PROMPTS)],
    {"model": "m", "max_tokens": 99},
    "a recording",
)


def test_a_recording_becomes_a_whole_session(store: HistoryStore) -> None:
    store.restore("s", RECORDING)
    assert as_dicts(store.load("s")) == as_dicts(RECORDING.messages)
    assert json.loads(store.raw("s") or b"") == as_dicts(RECORDING.messages)
    assert [(turn.number, turn.to_dict()) for turn in store.turns("s")] == [
        (number, turn.to_dict()) for number, turn in enumerate(RECORDING.turns, 1)
    ]
    assert [turn.prompt for turn in store.turns("s", newest=1)] == ["And you?"]
    assert store.turn("s", 2) == store.turns("s")[1]
    about = store.about("s")
    assert (about.title, about.settings) == ("A talk with Ada", RECORDING.settings)
    assert [(each.first, each.count, each.source) for each in about.imports] == [(0, 6, "a recording")]
    assert (about.created_at or 0) > 0
    assert [(entry.session_id, entry.title) for entry in store.sessions(10)] == [("s", "A talk with Ada")]
    assert TTL - 60 < (store.expires_in("s") or 0) <= TTL
    assert store.live("s") is None


def test_a_restored_session_goes_on_like_any_other(store: HistoryStore) -> None:
    store.restore("s", RECORDING)
    say(store, "s", "a new question")
    assert [message.text for message in store.load("s")][-2:] == ["a new question", "Hi!"]
    assert [turn.number for turn in store.turns("s")] == [1, 2, 3, 4]
    assert store.about("s").title == "A talk with Ada"


def test_settings_stored_before_the_first_message_are_replaced(store: HistoryStore) -> None:
    store.save_settings("s", {"model": "before"})
    store.restore("s", RECORDING)
    assert store.about("s").settings == RECORDING.settings


def test_nothing_is_restored_over_another_conversation(store: HistoryStore) -> None:
    say(store, "s", "typed here")
    before = store.about("s")
    with pytest.raises(ImportRefused, match="messages already"):
        store.restore("s", RECORDING)
    assert [message.text for message in store.load("s")] == ["typed here", "Hi!"]
    assert (len(store.turns("s")), store.about("s")) == (1, before)


def test_nothing_is_restored_while_a_turn_is_live_or_interrupted(kit: Kit) -> None:
    kit.store.begin("s", prompt())
    with pytest.raises(TurnInProgress, match="being answered"):
        kit.store.restore("s", RECORDING)
    kit.age("s", 6)
    with pytest.raises(TurnInProgress, match="waits for your decision"):
        kit.store.restore("s", RECORDING)
    assert list(kit.store.load("s")) == []
    assert kit.store.about("s").imports == ()


def test_a_recording_without_messages_is_a_mistake(store: HistoryStore) -> None:
    with pytest.raises(ValueError, match="without messages"):
        store.restore("s", Recording("", [], [], {}, "nothing"))
    assert (store.raw("s"), store.sessions(10)) == (None, [])


def test_a_cleared_session_can_be_restored(store: HistoryStore) -> None:
    say(store, "s", "typed here")
    store.clear("s")
    store.restore("s", RECORDING)
    assert len(store.load("s")) == 6
    assert [turn.number for turn in store.turns("s")] == [1, 2, 3]


def test_a_recording_that_arrives_twice_is_stored_once(client: Any, redis_store: RedisHistory) -> None:
    redis_store.restore("another", RECORDING)

    class SentTwice(Interfering):
        """The first answer is lost, so the client sends the script again."""

        def evalsha(self, digest: str, *args: Any) -> Any:
            if digest == self._digest:
                self._client.evalsha(digest, *args)
            return self._client.evalsha(digest, *args)

    RedisHistory(SentTwice(client, RESTORE, []), TTL).restore("s", RECORDING)
    assert len(redis_store.load("s")) == 6
    assert len(redis_store.turns("s")) == 3
    assert len(redis_store.about("s").imports) == 1


def test_a_value_of_another_kind_is_left_alone(client: Any, redis_store: RedisHistory) -> None:
    keys = keys_of("s")
    client.set(keys.history, b'{"not": "an array"}')
    with pytest.raises(ImportRefused):
        redis_store.restore("s", RECORDING)
    assert client.get(keys.history) == b'{"not": "an array"}'
    assert not client.exists(keys.turns, keys.about)
    assert client.zscore(INDEX, "s") is None
