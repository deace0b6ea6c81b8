"""The gate before the store: what each person gets through, and what a refusal gives away."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.access import THE_ONE, Person
from lib.access.gate import RIGHTS, Gate, GatedStore, gated_store
from lib.access.gated_chat import GatedChat
from lib.chat.service import ChatService
from lib.errors import NotYours
from lib.history import About, HistoryStore, Recording
from lib.history.factory import open_history
from lib.history.memory import InMemoryHistory
from lib.history.sessions import Parent, SessionQuery
from lib.messages import assistant, user
from lib.settings import load_settings
from lib.tokens import ESTIMATE
from lib.turns import LiveTurn, Turn
from tests.support.app.pages import exchange, settings
from tests.support.servers.redis_servers import RedisServer

ANNA, BERT = Person("visitors", "visitor-" + "a" * 22), Person("visitors", "visitor-" + "b" * 22)
ADMIN, NOBODY = Person("accounts", "account-" + "0" * 32, sees_all=True), Person("accounts")
LIVE = LiveTurn("Hello", settings(), "test", 0.0)
TURN = Turn(LIVE.id, "Hello", "Hi", "complete", "openai", "m", "", 0.0)

READS: dict[str, Callable[[HistoryStore], Any]] = {
    "load": lambda store: store.load("s"),
    "raw": lambda store: store.raw("s"),
    "expires_in": lambda store: store.expires_in("s"),
    "turns": lambda store: store.turns("s"),
    "turn": lambda store: store.turn("s", 1),
    "live": lambda store: store.live("s"),
    "about": lambda store: store.about("s"),
    "children": lambda store: store.children("s"),
}
WRITES: dict[str, Callable[[HistoryStore], Any]] = {
    "save_settings": lambda store: store.save_settings("s", {}),
    "mark": lambda store: store.mark("s", 0, "pinned"),
    "keep_summaries": lambda store: store.keep_summaries("s", ()),
    "keep_handles": lambda store: store.keep_handles("s", {}),
    "import_messages": lambda store: store.import_messages("s", [user("x"), assistant("y")], "test"),
    "restore": lambda store: store.restore("s", Recording("", [user("x")], [], {}, "test")),
    "begin": lambda store: store.begin("s", LIVE),
    "heartbeat": lambda store: store.heartbeat("s", LIVE),
    "request_stop": lambda store: store.request_stop("s", "x"),
    "commit": lambda store: store.commit("s", LIVE.id, [user("x"), assistant("y")], TURN),
    "discard": lambda store: store.discard("s", "x"),
}
OWNERS_ONLY: dict[str, Callable[[HistoryStore], Any]] = {
    "clear": lambda store: store.clear("s"),
    "rename": lambda store: store.rename("s", "Mine now"),
    "pin_session": lambda store: store.pin_session("s", True),
    "expire": lambda store: store.expire("s", 1),
    "delete": lambda store: store.delete("s"),
    "set_share": lambda store: store.set_share("s", "write"),
    "set_parent": lambda store: store.set_parent("s", Parent("p", 1)),
    "claim": lambda store: store.claim("s", BERT.id),
}


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer().start()
    yield server
    server.close()


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, redis_server: RedisServer) -> Iterator[HistoryStore]:
    if request.param == "memory":
        yield InMemoryHistory(3600)
        return
    with redis_server.client() as client:
        client.flushall()
    opened = open_history(load_settings({"REDIS_URL": redis_server.url}, Path("none")))
    yield opened
    opened.close()


def behind(store: HistoryStore, person: Person) -> HistoryStore:
    return gated_store(Gate(person, store), store)


def begun_by(store: HistoryStore, person: Person, session_id: str = "s", prompt: str = "My secret") -> None:
    exchange(GatedChat(Gate(person, store), ChatService(store)), prompt, "It is safe.", session_id)


def state(store: HistoryStore) -> tuple[Any, ...]:
    return (list(store.load("s")), store.about("s"), store.turns("s"), store.live("s"))


def test_whoever_writes_first_owns_the_session_before_anything_is_stored(store: HistoryStore) -> None:
    assert list(behind(store, ANNA).load("s")) == []
    assert store.about("s") == About()
    behind(store, ANNA).save_settings("s", {"model": "m"})
    assert store.about("s").owner == ANNA.id
    with pytest.raises(NotYours):
        behind(store, BERT).load("s")


def test_of_two_who_begin_the_same_session_one_gets_it(store: HistoryStore) -> None:
    anna, bert = behind(store, ANNA), behind(store, BERT)
    assert (list(anna.load("s")), list(bert.load("s"))) == ([], [])
    anna.save_settings("s", {"model": "anna's"})
    with pytest.raises(NotYours):
        bert.save_settings("s", {"model": "bert's"})
    assert store.about("s").settings == {"model": "anna's"}


@pytest.mark.parametrize("share", ["", "read", "write"])
def test_others_may_do_exactly_what_the_owner_allows(store: HistoryStore, share: Any) -> None:
    allowed = {"": {}, "read": READS, "write": READS | WRITES}[share]
    for name, act in (READS | WRITES | OWNERS_ONLY).items():
        if name not in allowed:
            store.delete("s")
            begun_by(store, ANNA)
            behind(store, ANNA).set_share("s", share)
            before = state(store)
            with pytest.raises(NotYours):
                act(behind(store, BERT))
            assert state(store) == before, name
    store.delete("s")
    begun_by(store, ANNA)
    behind(store, ANNA).set_share("s", share)
    bert = behind(store, BERT)
    for name in ("load", "about", "turns", "save_settings") if share == "write" else tuple(allowed):
        (READS | WRITES)[name](bert)


def test_a_refusal_is_the_same_for_every_session_and_tells_nothing(store: HistoryStore) -> None:
    begun_by(store, ANNA)
    exchange(ChatService(store), "Nobody's secret", "Yes.", "nobodys")
    said = []
    for session_id in ("s", "nobodys"):
        with pytest.raises(NotYours) as refusal:
            behind(store, BERT).load(session_id)
        said.append(refusal.value.to_dict())
        assert behind(store, BERT).row(session_id) is None
    assert said[0] == said[1]
    assert "secret" not in f"{said}"


def test_a_session_without_an_owner_is_open_to_admins_only_and_cannot_be_taken(store: HistoryStore) -> None:
    exchange(ChatService(store), "Before there were owners", "Yes.", "s")
    for person in (BERT, NOBODY):
        with pytest.raises(NotYours):
            behind(store, person).save_settings("s", {})
    assert len(behind(store, ADMIN).load("s")) == len(behind(store, THE_ONE).load("s")) == 2
    behind(store, ADMIN).save_settings("s", {})
    assert store.about("s").owner == ""


def test_every_list_holds_ones_own(store: HistoryStore) -> None:
    begun_by(store, ANNA, "anna", "A comet")
    begun_by(store, BERT, "bert", "A comet too")
    for session_id in ("anna", "bert"):
        store.pin_session(session_id, True)
        store.set_parent(session_id, Parent("root", 1))
    begun_by(store, ANNA, "root", "The root")
    anna, admin = behind(store, ANNA), behind(store, ADMIN)
    everyone = {"anna", "bert", "root"}
    for listed, mine, all_of_them in (
        ({entry.session_id for entry in anna.sessions(9)}, {"anna", "root"}, everyone),
        ({row.session_id for row in anna.find(SessionQuery(owner=BERT.id)).rows}, {"anna", "root"}, everyone),
        ({row.session_id for row in anna.find(SessionQuery(text="comet")).rows}, {"anna"}, everyone),
        ({row.session_id for row in anna.pinned_sessions()}, {"anna"}, everyone),
        ({row.session_id for row in anna.children("root")}, {"anna"}, everyone),
    ):
        assert listed == mine
        assert listed < all_of_them
    assert {entry.session_id for entry in admin.sessions(9)} == everyone
    assert {row.session_id for row in admin.find(SessionQuery()).rows} == everyone
    assert anna.find(SessionQuery()).total == 2


def test_whoever_had_a_session_of_this_name_before_does_not_find_the_new_one(store: HistoryStore) -> None:
    begun_by(store, BERT)
    behind(store, BERT).delete("s")
    begun_by(store, ANNA, "s", "My secret comet")
    for query in (SessionQuery(), SessionQuery(text="comet")):
        assert behind(store, BERT).find(query).rows == ()
    assert behind(store, BERT).sessions(9) == []
    assert [row.title for row in behind(store, ANNA).find(SessionQuery(text="comet")).rows] == ["My secret comet"]


def test_a_receipt_does_not_take_a_session_from_whoever_began_it_since(store: HistoryStore) -> None:
    begun_by(store, BERT)
    receipt = behind(store, BERT).delete("s")
    behind(store, ANNA).save_settings("s", {"model": "annas"})
    assert not behind(store, BERT).undelete("s", receipt)
    assert store.about("s").owner == ANNA.id
    assert behind(store, ANNA).about("s").settings == {"model": "annas"}


def test_only_the_owner_is_told_what_became_of_a_session(store: HistoryStore) -> None:
    begun_by(store, ANNA)
    receipt = behind(store, ANNA).delete("s")
    assert [(gone.title, gone.ending) for gone in [behind(store, ANNA).gone("s")] if gone] == [("My secret", "deleted")]
    assert behind(store, BERT).gone("s") is None
    assert behind(store, ANNA).undelete("s", receipt)
    behind(store, ANNA).expire("s", 0)
    assert [gone.ending for gone in [behind(store, ANNA).gone("s")] if gone] == ["expired"]
    assert behind(store, BERT).gone("s") is None


def test_readers_are_not_told_the_copies_on_servers(store: HistoryStore) -> None:
    begun_by(store, ANNA)
    behind(store, ANNA).keep_handles("s", {"openai:responses": {"ids": ["resp_1"]}})
    behind(store, ANNA).set_share("s", "read")
    assert behind(store, BERT).about("s").handles == {}
    assert behind(store, ANNA).about("s").handles != {}


def test_looking_writes_nothing(store: HistoryStore) -> None:
    begun_by(store, ANNA)
    before, left = state(store), store.expires_in("s") or 0.0
    for person in (ANNA, BERT, ADMIN):
        for session_id in ("s", "new"):
            gate = Gate(person, store)
            gate.right(session_id)
            behind(store, person).row(session_id)
            behind(store, person).gone(session_id)
    assert state(store) == before
    assert (store.expires_in("s") or 0.0) <= left
    assert store.about("new") == About()


def test_the_gate_knows_every_method_of_the_store_and_lets_nothing_else_through(store: HistoryStore) -> None:
    methods = {name for name, value in inspect.getmembers(HistoryStore, callable) if not name.startswith("_")}
    own = {name for name in vars(GatedStore) if not name.startswith("_")}
    assert methods - {"close"} <= RIGHTS.keys() | own
    assert set(RIGHTS) | {"about", "claim", "children"} == set(READS | WRITES | OWNERS_ONLY)
    for name in ("close", "client", "overwrite", "foreign"):
        with pytest.raises(AttributeError):
            getattr(behind(store, ANNA), name)


def test_the_service_asks_the_gate_in_every_method() -> None:
    store = InMemoryHistory(3600)
    begun_by(store, ANNA)
    chat = GatedChat(Gate(BERT, store), ChatService(store))
    calls: dict[str, Callable[[], Any]] = {
        "send": lambda: chat.send("s", "x", settings(), lambda chosen: pytest.fail("opened")),
        "retry": lambda: chat.retry("s", LIVE, settings(), lambda chosen: pytest.fail("opened")),
        "keep": lambda: chat.keep("s", LIVE),
        "discard": lambda: chat.discard("s", LIVE),
        "import_messages": lambda: chat.import_messages("s", [user("x")], settings(), "test"),
        "undo_summary": lambda: chat.undo_summary("s"),
        "stop": lambda: chat.stop("s"),
        "live": lambda: chat.live("s"),
        "follow": lambda: list(chat.follow("s", "x")),
        "ledger": lambda: chat.ledger("s", ESTIMATE),
    }
    public = {name for name, value in inspect.getmembers(ChatService, callable) if not name.startswith("_")}
    assert set(calls) == public - {"close"}
    assert public <= set(vars(GatedChat))
    for act in calls.values():
        with pytest.raises(NotYours):
            act()
