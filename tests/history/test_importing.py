"""Imported messages are appended in one write and recorded, but never while a turn is live."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
import redis

from lib.errors import CorruptHistory, HistoryUnavailable, ImportRefused, TurnInProgress
from lib.history import HistoryStore
from lib.history.lua_messages import IMPORT
from lib.history.redis import RedisHistory
from lib.messages import Message, assistant, user
from tests.support.servers.redis_servers import TTL, as_dicts, prompt, say
from tests.support.store_kits import Kit

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


@pytest.mark.parametrize("levels", [101, 500, 2_000])
def test_a_message_that_could_not_be_read_back_is_not_imported(store: HistoryStore, levels: int) -> None:
    deep: Any = "x"
    for _ in range(levels):
        deep = [deep]
    for message in (Message("user", deep), Message("user", "a", {"name": deep})):
        with pytest.raises(ImportRefused, match="Message 2 is nested"):
            store.import_messages("s", [user("a"), message], "a file")
    assert list(store.load("s")) == []


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


def test_an_interrupted_turn_is_decided_about_first(kit: Kit) -> None:
    kit.store.begin("s", prompt())
    kit.age("s", 6)
    with pytest.raises(TurnInProgress, match="waits for your decision"):
        kit.store.import_messages("s", MESSAGES, "a file")
    assert kit.store.about("s").imports == ()


class Interfering:
    """A client before whose scripts something happens, as long as there is something left."""

    def __init__(self, client: Any, script: str, happens: list[Callable[[], object]]) -> None:
        self._client = client
        self._digest = hashlib.sha1(script.encode()).hexdigest()
        self._happens = happens

    def evalsha(self, digest: str, *args: Any) -> Any:
        if digest == self._digest and self._happens:
            self._happens.pop(0)()
        return self._client.evalsha(digest, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_the_record_is_right_when_another_service_writes_meanwhile(client: Any, redis_store: RedisHistory) -> None:
    redis_store.import_messages("another", MESSAGES, "a file")  # the server has the script
    elsewhere = '[{"role":"user","content":"from elsewhere"}]'
    store = RedisHistory(Interfering(client, IMPORT, [lambda: client.set("chat:s", elsewhere, ex=TTL)]), TTL)
    store.import_messages("s", MESSAGES, "a file")
    assert [message.content for message in store.load("s")] == ["from elsewhere", "I am Ada", None, "42", "Hello Ada"]
    assert [(record.first, record.count) for record in store.about("s").imports] == [(1, 4)]


def test_a_service_that_never_stops_writing_is_named(client: Any, redis_store: RedisHistory) -> None:
    redis_store.import_messages("another", MESSAGES, "a file")
    lengths = iter(range(9))

    def write() -> None:
        client.set("chat:s", f'[{{"role":"user","content":"{"x" * next(lengths)}"}}]')

    writes: list[Callable[[], object]] = [write] * 9
    store = RedisHistory(Interfering(client, IMPORT, writes), TTL)
    with pytest.raises(HistoryUnavailable, match="keeps writing"):
        store.import_messages("s", MESSAGES, "a file")
    assert len(store.load("s")) == 1
    assert store.about("s").imports == ()


def test_an_import_whose_answer_is_lost_is_stored_once(client: Any, redis_store: RedisHistory) -> None:
    redis_store.import_messages("another", MESSAGES, "a file")

    class Broken(Interfering):
        def evalsha(self, digest: str, *args: Any) -> Any:
            answer = self._client.evalsha(digest, *args)
            if digest == self._digest and self._happens:
                self._happens.pop()
                raise redis.ConnectionError("Connection closed by server.")
            return answer

    store = RedisHistory(Broken(client, IMPORT, [lambda: None]), TTL)
    store.import_messages("s", MESSAGES, "a file")
    assert as_dicts(store.load("s")) == as_dicts(MESSAGES)
    assert len(store.about("s").imports) == 1


def test_clearing_forgets_what_was_imported(store: HistoryStore) -> None:
    store.import_messages("s", MESSAGES, "a file")
    store.clear("s")
    assert store.about("s").imports == ()
    store.import_messages("s", MESSAGES[:1], "another file")
    assert [(record.first, record.source) for record in store.about("s").imports] == [(0, "another file")]
