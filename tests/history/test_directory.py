"""Whole sessions: what every kind of store says of them, and that looking changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from lib.errors import TurnInProgress
from lib.history import HistoryStore
from lib.history.redis import RedisHistory
from lib.history.sessions import Parent, SessionQuery
from lib.messages import Usage, assistant, user
from lib.turns import PlanSummary
from tests.support.servers.redis_servers import everything, prompt, say
from tests.support.store_kits import Kit

PLAN = PlanSummary(((0, 1, False, "over_budget"),), 2, 1, 1, 9, 3, 8192, 1024, "oldest_first", "c", "estimated", True)


def ids(store: HistoryStore, **query: object) -> list[str]:
    return [row.session_id for row in store.find(SessionQuery(**query)).rows]  # type: ignore[arg-type]


def test_a_row_says_what_a_list_shows(store: HistoryStore) -> None:
    say(store, "s", "Hello there", usage=Usage(10, 4, 0, 5))
    say(store, "s", "again", usage=Usage(20, None, None, 7), plan=PLAN, status="stopped")
    say(store, "s", "once more")
    row = store.row("s")
    assert row is not None
    assert (row.title, row.provider, row.model, row.messages, row.turns) == (
        "Hello there",
        "openai",
        "test-model",
        6,
        3,
    )
    assert (row.input_tokens, row.output_tokens, row.turns_with_dropped, row.stopped) == (30, 12, 1, 1)
    assert (row.usage[0].turns, row.usage[0].unreported) == (3, 1)
    assert row.origin == "here"
    assert row.size is None or row.size > 100
    assert row.expires_in is not None
    assert not row.interrupted
    assert store.row("other") is None


def test_sessions_come_newest_first_page_by_page(store: HistoryStore) -> None:
    for number in range(7):
        say(store, f"s{number}")
    seen, cursor = [], None
    while True:
        page = store.find(SessionQuery(), cursor, 3)
        seen += [row.session_id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"s{number}" for number in reversed(range(7))]
    with pytest.raises(ValueError, match="cursor"):
        store.find(SessionQuery(), "x")


def test_a_search_finds_titles_and_texts_in_any_case(store: HistoryStore) -> None:
    say(store, "title", "Trip to LISBON")
    say(store, "text", "hello", reply="Lisboa, lisbon and “Café”\n\\u00e9")
    say(store, "none", "hello")
    assert ids(store, text=" lisbon ") == ["text", "title"]
    assert ids(store, text="café”") == ["text"]
    assert ids(store, text="assistant") == []


def test_filters_look_at_what_the_turns_say(store: HistoryStore) -> None:
    say(store, "plain")
    say(store, "dropped", plan=PLAN)
    say(store, "stopped", status="stopped")
    assert ids(store, dropped=True) == ["dropped"]
    assert ids(store, failed=True) == ["stopped"]
    assert ids(store, strategy="oldest_first") == ["dropped"]
    assert ids(store, model="test-model") == ["stopped", "dropped", "plain"]
    assert ids(store, model="another") == []
    assert ids(store, older_than=1_000) == []
    assert len(ids(store, newer_than=1_000)) == 3


def test_an_interrupted_turn_shows_in_its_row(kit: Kit) -> None:
    kit.store.begin("s", prompt())
    assert not kit.store.row("s").interrupted
    kit.age("s", 1000)
    assert kit.store.row("s").interrupted
    assert ids(kit.store, failed=True) == ["s"]


def test_names_pins_shares_and_parents_are_kept(store: HistoryStore) -> None:
    say(store, "a")
    say(store, "b")
    store.rename("a", "  A better\nname ")
    store.pin_session("a", True)
    store.set_share("a", "read")
    store.set_parent("b", Parent("a", 2, "edit"))
    row = store.row("a")
    assert row is not None
    assert (row.title, row.pinned, row.share) == ("A better", True, "read")
    assert [each.session_id for each in store.pinned_sessions()] == ["a"]
    assert [each.session_id for each in store.children("a")] == ["b"]
    assert store.about("b").parent == Parent("a", 2, "edit")
    store.pin_session("a", False)
    assert list(store.pinned_sessions()) == []
    with pytest.raises(ValueError, match="title"):
        store.rename("a", " ")


def test_a_session_has_the_owner_who_claimed_it_first(store: HistoryStore) -> None:
    assert store.claim("s", "ann") == "ann"
    assert store.claim("s", "bob") == "ann"
    say(store, "s")
    say(store, "other")
    store.claim("theirs", "bob")
    say(store, "theirs")
    assert ids(store, owner="ann") == ["s"]
    assert ids(store, owner="bob") == ["theirs"]
    assert ids(store, owner="eve") == []
    assert store.about("s").owner == "ann"
    store.clear("s")
    assert store.about("s").owner == "ann"  # cleared, and still hers


def test_a_deleted_session_comes_back_with_everything(store: HistoryStore) -> None:
    say(store, "s", "Hello")
    store.mark("s", 0, "pinned")
    before = (store.raw("s"), [turn.to_dict() for turn in store.turns("s")], store.about("s"), store.row("s"))
    receipt = store.delete("s")
    assert list(store.load("s")) == []
    assert ids(store) == []
    gone = store.gone("s")
    assert gone is not None
    assert (gone.ending, gone.title) == ("deleted", "Hello")
    assert not store.undelete("s", "another")
    assert store.undelete("s", receipt)
    assert store.gone("s") is None
    after = (store.raw("s"), [turn.to_dict() for turn in store.turns("s")], store.about("s"), store.row("s"))
    assert before[:3] == after[:3]
    assert ids(store) == ["s"]
    assert [message.text for message in store.load("s")] == ["Hello", "Hi!"]
    say(store, "s", "more")
    assert len(store.load("s")) == 4


def test_a_cleared_session_is_known_as_deleted(store: HistoryStore) -> None:
    say(store, "s", "Hello")
    store.clear("s")
    gone = store.gone("s")
    assert gone is not None
    assert (gone.ending, gone.title) == ("deleted", "Hello")
    store.clear("never-there")
    assert store.gone("never-there") is None


def test_a_deleted_session_does_not_come_back_over_a_new_one(store: HistoryStore) -> None:
    say(store, "s")
    receipt = store.delete("s")
    say(store, "s", "new")
    assert not store.undelete("s", receipt)
    assert store.load("s")[0].text == "new"


def test_a_session_that_is_being_answered_is_not_deleted_and_keeps_its_deadline(store: HistoryStore) -> None:
    say(store, "s")
    store.begin("s", prompt())
    with pytest.raises(TurnInProgress):
        store.delete("s")
    with pytest.raises(TurnInProgress):
        store.expire("s", 10)
    assert len(store.load("s")) == 2


def test_a_deadline_may_be_shorter_longer_or_none(store: HistoryStore) -> None:
    say(store, "s")
    store.expire("s", 100)
    assert (store.expires_in("s") or 0) <= 100
    store.expire("s", None)
    assert store.expires_in("s") is None
    assert ids(store) == ["s"]
    store.expire("s", 0)
    assert list(store.load("s")) == []
    gone = store.gone("s")
    assert gone is not None
    assert gone.ending == "expired"


def test_imported_messages_and_other_services_are_told_apart(store: HistoryStore) -> None:
    store.import_messages("s", [user("a"), assistant("b")], "a file")
    row = store.row("s")
    assert row is not None
    assert (row.origin, row.messages, row.turns) == ("import", 2, 0)


def test_looking_changes_nothing(client: Any, redis_store: RedisHistory) -> None:
    store = redis_store
    say(store, "a")
    say(store, "b")
    store.set_parent("b", Parent("a", 2))
    store.pin_session("a", True)
    store.claim("a", "ann")
    client.set("chat:theirs", b'[{"role":"user","content":"hi"}]')
    client.zadd("chats", {"theirs": 1.0})

    before = everything(client)
    rows = store.find(SessionQuery(text="h")).rows
    assert {row.session_id: row.origin for row in rows} == {"a": "here", "b": "here", "theirs": "service"}
    assert rows[-1].messages == 1
    assert rows[-1].expires_in is None
    store.find(SessionQuery(owner="ann"))
    store.row("a")
    store.gone("nothing")
    store.children("a")
    store.pinned_sessions()
    assert everything(client) == before


def test_what_another_service_changed_is_counted_anew(client: Any, redis_store: RedisHistory) -> None:
    store = redis_store
    say(store, "s")
    client.set("chat:s", b'[{"role":"user","content":"one"}]', keepttl=True)
    rows = [store.row("s")]
    say(store, "s")
    rows.append(store.row("s"))
    assert [(row.messages, row.turns, row.origin) for row in rows if row] == [(1, 1, "service"), (3, 2, "here")]
