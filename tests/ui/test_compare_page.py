"""The page of models side by side: real turns against the typist, and the in-memory store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from lib.analysis.ranking import COST, FIRST_WORD, MEASURES, READ, SPEED, Result, rank
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.generation import Generation
from lib.history.sessions import SessionQuery
from lib.history.votes import Vote
from lib.turns import LiveTurn
from lib.ui.compare import column, names, state, verdict, voting
from lib.ui.shell import services
from tests.support.app.pages import SESSION, exchange, page, settings
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until

PATH = "pages/compare.py"
A = settings(strategy="none")
B = settings(strategy="sliding_window", last_exchanges=1, generation=Generation(seed=7))


def opened(*drafts: ChatSettings, blind: bool = False, session_state: Mapping[str, object] | None = None) -> AppTest:
    """The page with these drafts."""
    kept = [(f"draft{place}", each.to_dict()) for place, each in enumerate(drafts)]
    begun = {"compare_drafts": kept} if drafts else {}
    at = page(PATH, state={**begun, state.BLIND: blind, **(session_state or {})})
    assert not at.exception, at.exception
    return at


def sent(at: AppTest, text: str) -> AppTest:
    """The page once every column has answered this message."""
    at.text_input(key=state.PROMPT).set_value(text)
    next(each for each in at.button if each.label == "Send").click()
    at.run()
    return finished(at)


def finished(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    wait_until(lambda: not any(services.rounds().standing(each).busy for each in ids(at)))
    at.run()
    assert not at.exception, at.exception
    return at


def ids(at: AppTest) -> list[str]:
    """The columns in the address."""
    found = at.query_params.get(state.URL_COLUMNS, "")
    return str(found[0] if isinstance(found, list) else found).split(",")


def words(at: AppTest) -> str:
    """Every text on the page, without the entities that keep it from being read as Markdown."""
    return unescape(
        "\n".join(each.value for kind in (at.markdown, at.caption, at.success, at.warning) for each in kind)
    )


def test_looking_stores_nothing(chat: ChatService, typist: Typist) -> None:
    before = len(chat.store.find(SessionQuery()).rows)
    at = opened()
    assert "SmolLM2" in words(at) or "typist-1" in words(at)
    assert (len(chat.store.find(SessionQuery()).rows), typist.requests) == (before, [])


def test_each_column_is_a_chat_that_was_sent_its_own_settings(chat: ChatService, typist: Typist) -> None:
    at = sent(opened(A, B), "one")
    at = sent(at, "two")
    left, right = ids(at)
    assert [message.text for message in chat.store.load(left) if message.role == "user"] == ["one", "two"]
    assert (chat.store.about(left).settings, chat.store.about(right).settings) == (A.to_dict(), B.to_dict())
    assert chat.store.about(right).title == "Side by side B: one"
    seeds = sorted(str(body.get("seed")) for body in typist.requests)
    assert seeds == ["7", "7", "None", "None"]
    last = [body for body in typist.requests if body["messages"][-1]["content"] == "two"]
    assert sorted(len(body["messages"]) for body in last) == [2, 4]
    assert "**B: typist-1, Last N (1), seed 7 reads least**" in words(at)
    assert "over 2 answers" in words(at)
    assert "2 messages not sent" in words(at)


def test_a_column_that_fails_is_retried_or_discarded_alone(chat: ChatService, typist: Typist) -> None:
    at = sent(opened(A, B), "one")
    typist.error = (500, {"error": {"message": "broken"}}, {})
    at = sent(at, "two")
    assert len([each for each in at.button if each.label == "Retry"]) == 2
    typist.error = None
    at.button(key="compare_retry:A").click().run()
    at = finished(at)
    at.button(key="compare_discard:B").click().run()
    left, right = ids(at)
    assert [len(chat.store.turns(each)) for each in (left, right)] == [2, 1]
    assert chat.store.live(right) is None
    assert not [each for each in at.button if each.label == "Retry"]


def test_the_questions_of_the_open_chat_go_to_every_column(chat: ChatService, typist: Typist) -> None:
    exchange(chat, "first", "x")
    exchange(chat, "second", "y")
    at = opened(A, B)
    at.button(key="compare_own").click().run()
    at = finished(at)
    for each in ids(at):
        assert [message.text for message in chat.store.load(each)][::2] == ["first", "second"]
        parent = chat.store.about(each).parent
        assert parent is not None
        assert (parent.session_id, parent.messages, parent.how) == (SESSION, 4, "replay")


def test_names_and_figures_are_hidden_until_the_vote(chat: ChatService, typist: Typist) -> None:
    at = sent(opened(A, B, blind=True), "one")
    assert "typist-1, Everything" not in words(at)
    assert "tokens read" not in words(at)
    assert not at.dataframe
    at.button(key="compare_vote:B").click().run()
    assert "You preferred **B: typist-1" in words(at)
    assert "tokens read" in words(at)
    (vote,) = services.votes().votes()
    shown = column.in_order(ids(at), blind=True)
    stored = ChatSettings("", "", "", 0, 0, "").updated(chat.store.about(shown[1]).settings)
    assert vote.winner == names.whole_name(stored)
    assert set(vote.shown) == {names.whole_name(A), names.whole_name(B)}
    at = page(PATH, columns=",".join(ids(at)), blind="1")  # the same address in another browser session
    assert "You preferred **B: typist-1" in words(at)


def test_reasoning_that_comes_is_told_unless_it_could_tell_a_hidden_name(chat: ChatService, typist: Typist) -> None:
    chat.store.begin(SESSION, LiveTurn("Why?", settings(), "test", 0.0, reasoning="Hm, so."))
    columns = f"{SESSION},bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    assert "Reasoning, 7 characters so far" in words(page(PATH, columns=columns))
    assert "Reasoning" not in words(page(PATH, columns=columns, blind="1"))


def test_columns_are_added_changed_and_removed_and_starting_over_keeps_their_settings(
    chat: ChatService, typist: Typist
) -> None:
    at = opened(A, B)
    at.button(key="compare_add").click().run()
    at.number_input(key="compare:draft0:max_tokens").set_value(777).run()
    at.button(key="compare_remove:draft1").click().run()
    at = sent(at, "one")
    windows = [chat.store.about(each).settings["max_tokens"] for each in ids(at)]
    assert windows == [777, B.max_tokens]
    at.button(key="compare_restart").click().run()
    assert not at.exception
    assert state.URL_COLUMNS not in at.query_params
    assert at.number_input(key=f"compare:{at.session_state['compare_drafts'][0][0]}:max_tokens").value == 777


def test_an_address_with_columns_that_cannot_be_is_the_page_at_its_beginning(chat: ChatService) -> None:
    for columns in ("one", "a,b,c,d,e", "a,../b", ",,"):
        at = page(PATH, columns=columns)
        assert not at.exception
        assert [each for each in at.button if each.key == "compare_script"]
    at = page(PATH, columns="gone-1,gone-2")
    assert words(at).count("There is nothing in this chat") == 2


def test_names_say_what_tells_columns_apart() -> None:
    assert names.names([A, replace(A, model="other")]) == ["typist-1", "other"]
    assert names.names([A, replace(A, system_prompt="")]) == ["typist-1, “Be brief.”", "typist-1, no system prompt"]
    assert names.names([A, B]) == ["typist-1, Everything", "typist-1, Last N (1), seed 7"]
    assert names.names([]) == []


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (READ, "**A: x reads least**: 312 tokens over 2 answers, 41 % less than B: y (530 tokens)."),
        (FIRST_WORD, "**A: x and B: y begin to answer at about the same time**: 0.4 s over 2 answers."),
        (SPEED, "**B: y writes fastest**: 30 tokens/s over 2 answers. A: x: not reported."),
        (COST, "**A: x costs least**: free over 2 answers, 100 % less than B: y ($0.0020)."),
    ],
)
def test_the_sentence_above_the_columns(measure: str, expected: str) -> None:
    a = Result("A: x", 2, read=312, first_word_ms=400.0, cost=Decimal(0))
    b = Result("B: y", 2, read=530, first_word_ms=410.0, tokens_per_second=30.0, cost=Decimal("0.002"))
    said = verdict.sentence(rank([a, b], MEASURES[measure]), 2)
    assert unescape(said) == expected
    assert verdict.sentence(rank([a], MEASURES[measure]), 2) == verdict.NO_WINNER


def test_votes_are_counted_by_name() -> None:
    votes = [Vote(str(n), winner, ("a", "b"), float(n)) for n, winner in enumerate(["a", "b", "b", ""])]
    assert voting.tally_lines(votes) == ["b: preferred in 2 of 4 votes", "a: preferred in 1 of 4 votes"]


def test_the_page_begins_with_two_settings_that_read_differently(chat: ChatService) -> None:
    at = opened()
    first, second = (ChatSettings("", "", "", 0, 0, "").updated(each[1]) for each in at.session_state["compare_drafts"])
    assert (first.model, second.model) == ("typist-1", "typist-1")
    assert first.to_dict() == settings().to_dict()  # the open chat's
    assert second == replace(first, strategy="sliding_window", last_exchanges=1)
