"""Forks begin with what their parent holds, take its records along, and never change it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.analysis.requests import records_of
from lib.chat.forks import fork, fork_with_edit
from lib.context.candidates import Summary
from lib.errors import ChatError
from lib.history import HistoryStore
from lib.history.sessions import Parent
from lib.messages import assistant, user
from tests.support.cases.told_sessions import PARENT, told


def everything(store: HistoryStore) -> tuple[object, ...]:
    about = store.about(PARENT)
    return store.raw(PARENT), [turn.to_dict() for turn in store.turns(PARENT)], about, store.expires_in(PARENT) is None


@given(messages=st.integers(0, 6))
@settings(max_examples=10)
def test_a_fork_begins_with_the_parents_messages_and_changes_nothing_of_it(messages: int) -> None:
    store = told("a", "b", "c")[0].store
    before = everything(store)
    made = fork(store, PARENT, messages)
    assert list(store.load(made.session_id)) == list(store.load(PARENT)[:messages])
    assert store.about(made.session_id).settings == store.about(PARENT).settings
    assert store.about(made.session_id).parent == Parent(PARENT, messages)
    assert everything(store) == before


def test_the_turns_of_its_messages_come_along_and_no_others() -> None:
    store = told("a", "b", "c")[0].store
    made = fork(store, PARENT, 4)
    records = records_of(store.load(made.session_id), store.turns(made.session_id))
    assert [(store.load(made.session_id)[each.at].text, each.recorded) for each in records] == [
        ("a", True),
        ("b", True),
    ]
    assert [turn.request_sha256 for turn in store.turns(made.session_id)] == [
        turn.request_sha256 for turn in store.turns(PARENT)[:2]
    ]


def test_pins_mutes_and_summaries_of_shared_messages_come_along() -> None:
    store = told("a", "b", "c")[0].store
    store.mark(PARENT, 0, "pinned")
    store.mark(PARENT, 4, "muted")
    store.keep_summaries(PARENT, [Summary("early", ((0, 2),)), Summary("all", ((0, 6),))])
    about = store.about(fork(store, PARENT, 4).session_id)
    assert (set(about.pinned), set(about.muted)) == ({0}, set())
    assert [each.text for each in about.summaries] == ["early"]


def test_an_edited_question_is_to_be_sent_again() -> None:
    store = told("a", "b", "c")[0].store
    made = fork_with_edit(store, PARENT, 2, "B!")
    assert made.to_send == "B!"
    assert [message.text for message in store.load(made.session_id)] == [m.text for m in store.load(PARENT)[:2]]


def test_an_edited_reply_ends_the_fork_or_stands_among_the_later_messages() -> None:
    store = told("a", "b")[0].store
    original = list(store.load(PARENT))
    short = fork_with_edit(store, PARENT, 1, "No.")
    assert list(store.load(short.session_id)) == [user("a"), assistant("No.")]
    whole = fork_with_edit(store, PARENT, 1, "No.", keep_later=True)
    assert list(store.load(whole.session_id)) == [user("a"), assistant("No."), *original[2:]]
    assert list(store.load(PARENT)) == original
    # nobody sent anything after the edited reply, so no turn says so
    assert store.turns(whole.session_id) == []


@pytest.mark.parametrize(("index", "text"), [(9, "x"), (-1, "x"), (0, "  ")])
def test_what_cannot_be_edited_is_refused_and_stores_nothing(index: int, text: str) -> None:
    store = told("a")[0].store
    with pytest.raises(ChatError):
        fork_with_edit(store, PARENT, index, text)
    assert [summary.session_id for summary in store.sessions(10)] == [PARENT]


def test_a_fork_past_the_end_is_refused() -> None:
    with pytest.raises(ChatError, match="this chat has 2"):
        fork(told("a")[0].store, PARENT, 3)
