"""Columns, their ledger, what is kept of them, and moving: over a server that holds, forgets and fails on demand."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from lib.errors import ConversationGone, HistoryUnavailable, ProviderError, ProviderUnavailable
from lib.messages import Message, assistant, user
from lib.server_history import Approach, Handle, ServerHistory, ThreadSettings
from lib.server_history.comparison import Comparison
from lib.server_history.lane import Lane, State
from lib.server_history.ledger import costs, ledger, total
from lib.server_history.transfer import MOVABLE, adopted, prepare_transfer
from tests.support.conversations import histories
from tests.support.counters import WordCounter
from tests.support.fake_server_history import ForgetfulHistory
from tests.support.waiting import wait_until as wait

WORDS = WordCounter()


class Kept:
    """What a session's store was told."""

    def __init__(self) -> None:
        self.handles: dict[str, Any] = {}
        self.away = False

    def __call__(self, handles: Mapping[str, Any]) -> None:
        if self.away:
            raise HistoryUnavailable("The store is away.")
        self.handles = dict(handles)


def column(history: ForgetfulHistory) -> Lane:
    return Lane(history.approach, lambda: history, "", lambda approach, handle: None)


def asked(column: Lane, *texts: str) -> State:
    for text in texts:
        assert column.ask(text)
        wait(lambda: not column.state.busy)
    return column.state


def test_a_column_answers_turn_by_turn_and_streams() -> None:
    history = ForgetfulHistory()
    history.gate = threading.Semaphore(0)
    one = column(history)
    assert one.ask("first")
    assert one.state.asking == "first"
    assert not one.ask("second")
    history.gate.release(5)
    wait(lambda: not one.state.busy)
    state = asked(one, "second")
    assert [done.asked for done in state.done] == ["first", "second"]
    assert [done.turn.reply for done in state.done if done.turn] == ["reply 1 to first", "reply 3 to second"]
    assert state.transcript == [
        user("first"),
        assistant("reply 1 to first"),
        user("second"),
        assistant("reply 3 to second"),
    ]
    assert [done.stored_items for done in state.done] == [2, 4]


def test_a_turn_that_fails_is_kept_with_its_reason_and_the_column_goes_on() -> None:
    history = ForgetfulHistory()
    one = column(history)
    asked(one, "first")
    history.fails = [ProviderUnavailable("It went away.")]
    state = asked(one, "second", "third")
    assert state.done[1].error is not None
    assert state.done[1].error["what"] == "It went away."
    assert state.done[2].turn is not None
    history.fails = [RuntimeError("ours")]
    state = asked(one, "fourth")
    assert state.done[3].error is not None
    assert "RuntimeError" in state.done[3].error["what"]


def test_a_script_is_asked_in_order_and_ends_where_a_turn_fails() -> None:
    history = ForgetfulHistory()
    one = column(history)
    assert one.script(["a", "b", "c"])
    wait(lambda: not one.state.busy)
    assert [done.asked for done in one.state.done] == ["a", "b", "c"]
    history.fails = [ProviderUnavailable("It went away.")]
    one.script(["d", "e"])
    wait(lambda: not one.state.busy)
    assert [done.asked for done in one.state.done] == ["a", "b", "c", "d"]


def test_two_writers_begin_from_the_same_place() -> None:
    history = ForgetfulHistory()
    one = column(history)
    asked(one, "first")
    assert one.ask_twice(("x", "y"), "Two writers at once.")
    wait(lambda: not one.state.busy)
    assert {done.asked for done in one.state.done[1:]} == {"x", "y"}
    assert {done.drill for done in one.state.done[1:]} == {"Two writers at once."}
    assert len(history.held["conv_1"]) == 6


def test_deleting_proves_it_and_the_next_turn_finds_nothing() -> None:
    history = ForgetfulHistory()
    one = column(history)
    assert one.delete() is None
    asked(one, "first")
    deletion = one.delete()
    assert deletion is not None
    assert deletion.proven
    state = asked(one, "second")
    assert state.done[-1].error is not None
    assert state.done[-1].error["kind"] == "ConversationGone"


def side(history: ForgetfulHistory, kept: Kept, handles: Mapping[str, Any] | None = None) -> Comparison:
    opened: list[tuple[Approach, ThreadSettings, bool]] = []

    def open_server_history(approach: Approach, settings: ThreadSettings, other: bool) -> ServerHistory:
        opened.append((approach, settings, other))
        return ForgetfulHistory(approach) if other else history

    return Comparison("replica", "", open_server_history, kept, dict(handles or {}))


def test_ids_are_kept_at_once_and_a_later_page_goes_on_from_them() -> None:
    history, kept = ForgetfulHistory(), Kept()
    first = side(history, kept)
    first.ask(["conversations"], "I am Ada")
    wait(lambda: not first.busy)
    assert Handle.from_dict(kept.handles["replica:conversations"]).last("conversation") == "conv_1"
    later = side(history, kept, kept.handles)
    later.ask(["conversations"], "Who am I?")
    wait(lambda: not later.busy)
    (state,) = later.states(["conversations"])
    assert state.before == (user("I am Ada"), assistant("reply 1 to I am Ada"))
    assert [entry.verdict.word for entry in ledger(state, WORDS, "", lambda usage: None)] == ["cannot tell"]
    assert len(history.held["conv_1"]) == 4


def test_a_store_that_is_away_is_said_and_the_turn_goes_on() -> None:
    kept = Kept()
    kept.away = True
    one = side(ForgetfulHistory(), kept)
    one.ask(["conversations"], "hello")
    wait(lambda: not one.busy)
    assert "are not stored just now" in one.trouble
    assert one.states(["conversations"])[0].done[0].turn is not None
    kept.away = False
    one.restart(["conversations"])
    assert one.trouble == ""
    assert one.states(["conversations"])[0].done == ()


def test_switching_asks_another_account_that_never_heard_of_it() -> None:
    one = side(ForgetfulHistory(), Kept())
    one.ask(["conversations"], "hello")
    wait(lambda: not one.busy)
    one.switch("conversations")
    one.ask(["conversations"], "again")
    wait(lambda: not one.busy)
    error = one.states(["conversations"])[0].done[-1].error
    assert error is not None
    assert error["kind"] == "ConversationGone"
    one.switch("conversations")
    one.ask(["conversations"], "and again")
    wait(lambda: not one.busy)
    assert one.states(["conversations"])[0].done[-1].turn is not None


def test_the_ledger_adds_up_and_tells_held_from_lost() -> None:
    history = ForgetfulHistory()
    one = column(history)
    long = "word " * 40
    state = asked(one, "first " + long, "second " + long, "third " + long)
    entries = ledger(state, WORDS, "", lambda usage: Decimal(usage.input_tokens or 0) / 1000)
    assert [entry.verdict.word for entry in entries] == ["cannot tell", "held", "held"]
    assert [entry.input_tokens for entry in entries] == [entry.expected for entry in entries]
    assert costs(entries) == Decimal(sum(entry.input_tokens or 0 for entry in entries)) / 1000
    assert [entry.bytes_up for entry in entries] == [
        len("first " + long) + 30,
        len("second " + long) + 30,
        len("third " + long) + 30,
    ]
    history.held["conv_1"] = []
    state = asked(one, "fourth " + long)
    assert ledger(state, WORDS, "", lambda usage: None)[-1].verdict.word == "lost"


def test_what_is_not_reported_is_unknown_in_every_sum() -> None:
    history = ForgetfulHistory()
    history.reports = False
    state = asked(column(history), "a", "b")
    entries = ledger(state, WORDS, "", lambda usage: None)
    assert [entry.input_tokens for entry in entries] == [None, None]
    assert total([entry.input_tokens for entry in entries]) is None
    assert costs(entries) is None
    assert {entry.verdict.word for entry in entries} == {"cannot tell"}
    assert total([]) is None
    assert total([1, 2]) == 3


@given(histories())
def test_nothing_is_left_behind_in_silence(history: list[Message]) -> None:
    luggage = prepare_transfer(history)
    assert all(message.role in MOVABLE and message.text for message in luggage.messages)
    plain = [m for m in history if m.role in MOVABLE and isinstance(m.content, str) and m.content and not m.extra]
    assert [message for message in luggage.messages if message in plain] or not plain
    if len(luggage.messages) < len(history) or any(not isinstance(m.content, str) or m.extra for m in history):
        assert luggage.left
    else:
        assert luggage.left == ()


def test_a_conversation_is_moved_where_it_can_begin_with_messages() -> None:
    history = ForgetfulHistory()
    messages = [user("I am Ada"), assistant("Hello")]
    handle = adopted(history, "", messages)
    assert history.export(handle) == messages
    manual = type(
        "Manual", (), {"create": lambda self, prompt: Handle("manual", "m", prompt), "facts": history.facts}
    )()
    assert adopted(manual, "", messages).copy == tuple(messages)
    chain = type(
        "Chain", (), {"create": lambda self, prompt: Handle("responses", "m", prompt), "facts": history.facts}
    )()
    with pytest.raises(ProviderError, match="cannot begin with messages"):
        adopted(chain, "", messages)


def test_store_can_be_turned_off_for_every_column_that_has_the_choice() -> None:
    one = side(ForgetfulHistory(), Kept())
    one.store("responses", False)
    assert one.settings == replace(ThreadSettings(max_output_tokens=256), store=False)


def test_unknown_ids_are_an_error_of_their_column_alone() -> None:
    history = ForgetfulHistory()
    one = column(history)
    one.resume(Handle("conversations", "m").plus(("conversation", "conv_99")), [])
    state = asked(one, "hello")
    assert state.done[0].error is not None
    assert state.done[0].error["kind"] == ConversationGone.kind
    assert state.done[0].turn is None
