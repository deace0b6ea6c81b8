"""Imported messages are appended in one write and recorded, but never while a turn is live."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib.errors import CorruptHistory, TurnInProgress
from lib.history import HistoryStore
from lib.history.redis import RedisHistory
from lib.messages import Message, assistant, user
from tests.support.redis_servers import TTL, as_dicts, prompt, say

MESSAGES = [
    user("I am Ada"),
    Message("assistant", None, {"tool_calls": [{"id": "c", "type": "function"}]}),
    Message("tool", "42", {"tool_call_id": "c"}),
    assistant("Hello Ada"),
]


def test_imported_messages_are_stored_unchanged_and_without_a_turn(store: HistoryStore) -> None:
    store.import_messages("s", MESSAGES, "a file")
    assert as_dicts(store.load("s")) == as_dicts(MESSAGES)
    assert json.loads(store.raw("s") or b"") == as_dicts(MESSAGES)
    assert store.turns("s") == []
    assert (store.about("s").title, store.live("s")) == ("I am Ada", None)
    assert [entry.session_id for entry in store.sessions(10)] == ["s"]
    assert TTL - 60 < (store.expires_in("s") or 0) <= TTL


def test_imports_are_recorded_with_their_messages_and_source(store: HistoryStore) -> None:
    say(store, "s", "typed here")
    store.import_messages("s", MESSAGES, "a file")
    store.import_messages("s", [user("later")], "another file")
    first, second = store.about("s").imports
    assert (first.first, first.count, first.source) == (2, 4, "a file")
    assert (second.first, second.count, second.source) == (6, 1, "another file")
    assert [first.covers(index) for index in range(7)] == [False, False, True, True, True, True, False]
    assert second.imported_at >= first.imported_at > 0
    assert len(store.turns("s")) == 1


def test_a_turn_can_follow_imported_messages(store: HistoryStore) -> None:
    store.import_messages("s", MESSAGES, "a file")
    say(store, "s", "and now?")
    assert [message.text for message in store.load("s")][-2:] == ["and now?", "Hi!"]
    assert [turn.prompt for turn in store.turns("s")] == ["and now?"]


def test_nothing_is_imported_while_a_turn_is_live(store: HistoryStore) -> None:
    store.begin("s", prompt())
    with pytest.raises(TurnInProgress):
        store.import_messages("s", MESSAGES, "a file")
    assert list(store.load("s")) == []
    assert store.about("s").imports == ()


def test_importing_nothing_writes_nothing(store: HistoryStore) -> None:
    store.import_messages("s", [], "an empty file")
    assert (store.raw("s"), store.sessions(10)) == (None, [])


def test_importing_never_overwrites_a_value_that_is_not_a_history(client: Any, redis_store: RedisHistory) -> None:
    client.set("chat:s", b'{"not": "an array"}')
    with pytest.raises(CorruptHistory):
        redis_store.import_messages("s", MESSAGES, "a file")
    assert client.get("chat:s") == b'{"not": "an array"}'
    assert redis_store.about("s").imports == ()
