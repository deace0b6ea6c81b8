"""The promises of lib/history/__init__.py, tested with every kind of store."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from lib.context.candidates import Summary
from lib.errors import ProviderError, TurnInProgress, TurnLost
from lib.history import About, HistoryStore
from lib.messages import Message, assistant, user
from lib.turns import PlanSummary
from tests.support.servers.redis_servers import SETTINGS, TTL, as_dicts, commit, live_turn, prompt, record, say
from tests.support.store_kits import Kit


def test_an_unknown_session_is_empty(store: HistoryStore) -> None:
    store.ping()
    assert list(store.load("new")) == []
    assert store.live("new") is None
    assert store.turns("new") == []
    assert store.turn("new", 1) is None
    assert store.about("new") == About()
    assert store.sessions(10) == []
    assert store.expires_in("new") is None
    assert store.raw("new") is None


def test_an_exchange_is_read_back_as_it_was_stored(store: HistoryStore) -> None:
    live = prompt("What's 2+2?")
    store.begin("s", live)
    plan = PlanSummary(((0, 1, True, "fits"),), 0, 1, 0, 9, 3, 8192, 1024, "none", "characters / 4", "estimated", True)
    known = {"request": {"model": "m", "max_tokens": 3}, "request_sha256": "ab", "reasoning": "Two and two, \ud83d."}
    turn = record(live, "4", plan=plan, duration_ms=1.5, **known)
    messages = [user("What's 2+2?"), Message("assistant", [{"type": "text", "text": "4"}], {"tool_calls": []})]
    store.commit("s", live.id, messages, turn)
    assert as_dicts(store.load("s")) == as_dicts(messages)
    (stored,) = store.turns("s")
    assert stored.number == 1
    assert stored.to_dict() == turn.to_dict()
    assert store.turn("s", 1) == stored
    assert store.live("s") is None
    assert json.loads(store.raw("s") or b"") == as_dicts(messages)


def test_loading_again_returns_the_same_objects_and_leaves_earlier_results_alone(store: HistoryStore) -> None:
    say(store, "s", "one")
    first = store.load("s")
    assert store.load("s") is first
    say(store, "s", "two")
    second = store.load("s")
    assert (len(first), len(second)) == (2, 4)
    assert all(a is b for a, b in zip(first, second, strict=False))
    assert not hasattr(second, "append")


def test_a_second_message_is_refused_while_one_is_answered(store: HistoryStore) -> None:
    store.begin("s", prompt("first"))
    second = prompt("second")
    with pytest.raises(TurnInProgress, match="being answered"):
        store.begin("s", second)
    with pytest.raises(TurnInProgress, match="being answered"):
        store.begin("s", second, instead_of=live_turn(store, "s").id)
    assert live_turn(store, "s").prompt == "first"
    store.begin("other", second)


def test_beginning_the_same_turn_again_is_accepted(store: HistoryStore) -> None:
    live = prompt()
    store.begin("s", live)
    store.begin("s", live)
    commit(store, "s", live)
    assert len(store.load("s")) == 2


def test_a_live_turn_is_read_back_with_its_age(kit: Kit) -> None:
    live = prompt("Hello \ud83d", text="partial", reasoning="Hm", replaces=3, over_budget_allowed=True)
    kit.store.begin("s", live)
    found = kit.store.live("s")
    assert found.to_dict() == live.to_dict()
    assert 0 <= found.age < 1000
    assert not found.interrupted
    kit.age("s", 1000)
    assert kit.store.live("s").age >= 1000
    assert kit.store.live("s").interrupted
    kit.store.heartbeat("s", prompt("Hello", id=live.id, text="more"))
    assert kit.store.live("s").age < 1000
    assert kit.store.live("s").text == "more"


def test_an_interrupted_turn_waits_for_a_decision(kit: Kit) -> None:
    first, second = prompt("first"), prompt("second")
    kit.store.begin("s", first)
    kit.age("s", 6)
    with pytest.raises(TurnInProgress, match="waits for your decision"):
        kit.store.begin("s", second)
    with pytest.raises(TurnInProgress, match="waits for your decision"):
        kit.store.begin("s", second, instead_of="another")
    kit.store.begin("s", second, instead_of=first.id)
    assert kit.store.live("s").prompt == "second"


def test_a_failed_turn_is_interrupted_at_once(store: HistoryStore) -> None:
    live = prompt()
    store.begin("s", live)
    store.heartbeat("s", prompt(id=live.id, error=ProviderError("no")))
    assert live_turn(store, "s").interrupted
    with pytest.raises(TurnInProgress, match="decision"):
        store.begin("s", prompt())
    store.begin("s", prompt("again"), instead_of=live.id)
    assert not live_turn(store, "s").interrupted


def test_stop_reaches_only_the_turn_it_names(store: HistoryStore) -> None:
    live = prompt()
    store.begin("s", live)
    assert store.heartbeat("s", live) == "ok"
    store.request_stop("s", "another")
    assert store.heartbeat("s", live) == "ok"
    store.request_stop("s", live.id)
    assert store.heartbeat("s", live) == "stop"
    assert store.heartbeat("s", live) == "stop"
    commit(store, "s", live)
    following = prompt()
    store.begin("s", following)
    assert store.heartbeat("s", following) == "ok"


@pytest.mark.parametrize("how", ["clear", "discard", "replace"])
@pytest.mark.parametrize("meanwhile", ["nothing", "another turn"])
def test_a_late_owner_is_refused(kit: Kit, how: str, meanwhile: str) -> None:
    late, other = prompt("late"), prompt("other")
    store = kit.store
    store.begin("s", late)
    if how == "clear":
        store.clear("s")
    elif how == "discard":
        store.discard("s", late.id)
    else:
        kit.age("s", 6)
        store.begin("s", other, instead_of=late.id)
    if meanwhile == "another turn":
        if how != "replace":
            store.begin("s", other)
        store.request_stop("s", other.id)
        commit(store, "s", other)
    before = store.raw("s"), store.live("s") is None, len(store.turns("s"))
    with pytest.raises(TurnLost):
        store.heartbeat("s", late)
    with pytest.raises(TurnLost):
        commit(store, "s", late)
    assert before == (store.raw("s"), store.live("s") is None, len(store.turns("s")))


def test_a_commit_whose_answer_was_lost_can_be_repeated(store: HistoryStore) -> None:
    live = say(store, "s")
    commit(store, "s", live)
    say(store, "s", "next")
    commit(store, "s", live)
    assert [message.text for message in store.load("s")] == ["Hello", "Hi!", "next", "Hi!"]
    assert [turn.prompt for turn in store.turns("s")] == ["Hello", "next"]
    with pytest.raises(TurnLost):
        store.heartbeat("s", prompt("next", id=store.turns("s")[-1].id))


def test_a_commit_repeated_after_clear_stays_cleared(store: HistoryStore) -> None:
    live = say(store, "s")
    store.clear("s")
    with pytest.raises(TurnLost):
        commit(store, "s", live)
    assert list(store.load("s")) == []


def test_discarding_something_else_does_nothing(store: HistoryStore) -> None:
    live = prompt()
    store.begin("s", live)
    store.discard("s", "another")
    store.discard("unknown", live.id)
    assert store.live("s") is not None
    assert len(store.sessions(5)) == 1


def test_a_session_whose_only_prompt_was_discarded_leaves_no_trace_of_it(store: HistoryStore) -> None:
    live = prompt("Secret plan")
    store.begin("s", live)
    assert [entry.title for entry in store.sessions(5)] == ["Secret plan"]
    store.discard("s", live.id)
    assert store.sessions(5) == []
    assert store.about("s").title == ""
    say(store, "s", "Second thought")
    assert store.about("s").title == "Second thought"


def test_clearing_deletes_everything(store: HistoryStore) -> None:
    say(store, "s", replaces=0)
    store.save_settings("s", SETTINGS.to_dict())
    store.begin("s", prompt())
    store.clear("s")
    store.clear("s")
    assert list(store.load("s")) == []
    assert (store.turns("s"), store.live("s"), store.about("s"), store.sessions(5)) == ([], None, About(), [])
    assert store.expires_in("s") is None
    say(store, "s", "afresh")
    assert len(store.load("s")) == 2
    assert store.turns("s")[0].number == 1


def test_an_edited_exchange_is_muted(store: HistoryStore) -> None:
    say(store, "s", "one")
    say(store, "s", "two")
    say(store, "s", "two, edited", replaces=2)
    say(store, "s", "one, edited", replaces=0)
    assert store.about("s").muted == {0, 2}
    assert len(store.load("s")) == 8


def test_turns_are_numbered_from_the_first(store: HistoryStore) -> None:
    for number in range(1, 8):
        say(store, "s", f"question {number}")
    assert [turn.number for turn in store.turns("s")] == [1, 2, 3, 4, 5, 6, 7]
    assert [(turn.number, turn.prompt) for turn in store.turns("s", 2)] == [(6, "question 6"), (7, "question 7")]
    assert store.turns("s", 0) == []
    assert len(store.turns("s", 99)) == 7
    for number in (1, 4, 7):
        turn = store.turn("s", number)
        assert turn is not None
        assert turn.prompt == f"question {number}"
    assert store.turn("s", 0) is None
    assert store.turn("s", -1) is None
    assert store.turn("s", 8) is None


def test_a_session_is_named_after_its_first_prompt(store: HistoryStore) -> None:
    say(store, "s", "\n  What is   a token?\nExplain it to me.")
    say(store, "s", "And a context window?")
    assert store.about("s").title == "What is a token?"
    assert store.about("s").created_at is not None
    say(store, "long", "word " * 100)
    assert len(store.about("long").title) <= 60
    assert store.about("long").title.endswith("word…")
    say(store, "half", "half a pair: \ud83d")
    assert store.about("half").title == "half a pair: ?"


def test_settings_are_remembered(store: HistoryStore) -> None:
    store.save_settings("s", SETTINGS.to_dict())
    assert SETTINGS.updated(store.about("s").settings) == SETTINGS
    say(store, "s")
    store.save_settings("s", {"model": "é\ud800"})
    assert store.about("s").settings == {"model": "é\ud800"}
    assert store.about("s").title == "Hello"


def test_an_exchange_is_either_pinned_or_muted(store: HistoryStore) -> None:
    say(store, "s", "one")
    say(store, "s", "two")
    store.mark("s", 0, "pinned")
    store.mark("s", 2, "muted")
    assert (set(store.about("s").pinned), set(store.about("s").muted)) == ({0}, {2})
    store.mark("s", 0, "muted")
    store.mark("s", 2, "pinned")
    assert (set(store.about("s").pinned), set(store.about("s").muted)) == ({2}, {0})
    store.mark("s", 0, None)
    store.mark("s", 2, None)
    store.mark("s", 2, None)
    assert (store.about("s").pinned, store.about("s").muted) == (frozenset(), frozenset())
    with pytest.raises(ValueError, match="stored index"):
        store.mark("s", -1, "pinned")


def test_replacing_a_pinned_exchange_mutes_it(store: HistoryStore) -> None:
    say(store, "s", "one")
    store.mark("s", 0, "pinned")
    say(store, "s", "one, edited", replaces=0)
    assert 0 in store.about("s").muted


def test_summaries_are_stored_and_can_be_removed(store: HistoryStore) -> None:
    first = Summary("They plan a trip.", ((0, 8),), "model-1", 5.0)
    second = Summary("They plan a trip to \ud83d.", ((0, 8), (10, 12)), "model-1", 6.5)
    say(store, "s")
    store.keep_summaries("s", [first])
    store.keep_summaries("s", [first, second])
    assert store.about("s").summaries == (first, second)
    store.keep_summaries("s", [first])
    assert store.about("s").summaries == (first,)
    assert len(store.load("s")) == 2
    store.clear("s")
    assert store.about("s").summaries == ()


def test_a_summary_of_a_turn_that_was_cleared_is_not_kept(store: HistoryStore) -> None:
    say(store, "s", "one")
    live = prompt("two")
    store.begin("s", live)
    summary = Summary("They talk.", ((0, 2),))
    store.keep_summaries("s", [summary], live.id)
    assert store.about("s").summaries == (summary,)
    store.clear("s")
    with pytest.raises(TurnLost):
        store.keep_summaries("s", [summary], live.id)
    assert store.about("s") == About()


def test_handles_are_kept_until_they_are_cleared(store: HistoryStore) -> None:
    handles = {"replica:conversations": {"approach": "conversations", "ids": [["conversation", "conv_1"]]}}
    store.keep_handles("s", handles)
    assert store.about("s").handles == handles
    store.keep_handles("s", {})
    assert store.about("s").handles == {}
    store.keep_handles("s", handles)
    store.clear("s")
    assert store.about("s").handles == {}


def test_sessions_are_listed_by_latest_activity(store: HistoryStore) -> None:
    for name in ("a", "b", "c"):
        say(store, name, f"in {name}")
    say(store, "a")
    found = store.sessions(10)
    assert [entry.session_id for entry in found] == ["a", "c", "b"]
    assert [entry.title for entry in found] == ["in a", "in c", "in b"]
    assert all(entry.expires_in is not None and TTL - 60 < entry.expires_in <= TTL for entry in found)
    assert [entry.session_id for entry in store.sessions(2)] == ["a", "c"]
    assert store.sessions(0) == []
    store.clear("c")
    assert [entry.session_id for entry in store.sessions(2)] == ["a", "b"]


def test_every_write_renews_the_time_to_live(kit: Kit) -> None:
    store, live = kit.store, prompt("two")
    say(store, "s", "one")
    writes: list[Callable[[], object]] = [
        lambda: store.begin("s", live),
        lambda: store.heartbeat("s", live),
        lambda: store.request_stop("s", live.id),
        lambda: commit(store, "s", live),
        lambda: store.save_settings("s", {}),
        lambda: store.mark("s", 0, "pinned"),
        lambda: store.keep_summaries("s", []),
        lambda: store.keep_handles("s", {}),
        lambda: store.begin("s", prompt("three", id="three")),
        lambda: store.discard("s", "three"),
    ]
    for write in writes:
        _pass_time(kit, "s", 1000)
        assert store.expires_in("s") < TTL - 500
        write()
        assert TTL - 60 < store.expires_in("s") <= TTL


def _pass_time(kit: Kit, session_id: str, seconds: float) -> None:
    if kit.client is None:
        kit.age(session_id, seconds)
    else:
        kit.client.expire(f"chat:{session_id}", int(TTL - seconds))
        if kit.store.live(session_id) is not None:
            kit.store.heartbeat(session_id, kit.store.live(session_id))
            kit.client.expire(f"chat:{session_id}", int(TTL - seconds))


@pytest.mark.parametrize("bad", ["", "a}b", "a:b", "a b", "ä", "x" * 129, "a\n", "{a}"])
def test_every_method_refuses_an_invalid_session_id(store: HistoryStore, bad: str) -> None:
    live = prompt()
    calls: list[Callable[[], object]] = [
        lambda: store.import_messages(bad, [user("x")], "a file"),
        lambda: store.load(bad),
        lambda: store.begin(bad, live),
        lambda: store.live(bad),
        lambda: store.heartbeat(bad, live),
        lambda: store.request_stop(bad, live.id),
        lambda: store.commit(bad, live.id, [user("x"), assistant("y")], record(live)),
        lambda: store.discard(bad, live.id),
        lambda: store.clear(bad),
        lambda: store.turns(bad),
        lambda: store.turn(bad, 1),
        lambda: store.about(bad),
        lambda: store.save_settings(bad, {}),
        lambda: store.mark(bad, 0, "pinned"),
        lambda: store.keep_summaries(bad, []),
        lambda: store.keep_handles(bad, {}),
        lambda: store.expires_in(bad),
        lambda: store.raw(bad),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="session id"):
            call()
    assert store.sessions(5) == []


def test_a_store_that_lost_the_live_turn_accepts_it_again(kit: Kit) -> None:
    if kit.client is None:
        pytest.skip("a memory store loses its data only when its process ends")
    live = prompt("outlives its store")
    kit.store.begin("s", live)
    kit.client.flushall()
    assert kit.store.heartbeat("s", live) == "ok"
    assert kit.store.live("s").prompt == "outlives its store"
    kit.client.flushall()
    commit(kit.store, "s", live)
    assert [message.text for message in kit.store.load("s")] == ["outlives its store", "Hi!"]
