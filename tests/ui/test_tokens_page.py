"""The tokens page: its sentences are right, every number says who counted, and nothing is sent without a click."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.messages import Usage, assistant, user
from lib.tokens import PROVENANCE_TEXT
from lib.ui.tokens import counters
from tests.support.app.pages import SESSION, exchange, page, settings, written_elsewhere
from tests.support.servers.typist import Typist

REQUESTS, COUNTS, MONEY, INSIDE = TABS = ("Request by request", "Who counted", "Money", "Inside a message")
PATH = "pages/tokens.py"


def opened(tab: str, **state: Any) -> AppTest:
    """The page with one tab open, tables and all."""
    at = page(
        PATH,
        state={
            "tokens_tab": tab,
            **{f"table:{name}": True for name in ("requests", "money", "growth", "tokens:o200k_base")},
            **state,
        },
    )
    assert not at.exception, at.exception
    return at


def texts_of(at: AppTest) -> str:
    return "\n".join(element.value for element in (*at.markdown, *at.caption, *at.info, *at.warning))


def three_turns(chat: ChatService) -> None:
    for number, (read, wrote) in enumerate(((20, 9), (45, 12), (75, 15))):
        exchange(chat, f"question {number}", f"answer {number}", usage=Usage(read, 10, 4, wrote, 3))


def test_an_empty_session_says_what_will_be_here(chat: ChatService) -> None:
    at = page(PATH)
    assert not at.exception
    assert "Nothing was sent yet" in at.info[0].value


def test_the_headline_adds_up_what_was_paid_for(chat: ChatService) -> None:
    three_turns(chat)
    at = opened(REQUESTS)
    assert "You have paid for 140 (billed), because every request sends the conversation again." in texts_of(at)
    assert "Latest request: 75 tokens (billed)" in texts_of(at)
    frame = at.dataframe[0].value
    assert list(frame["request"]) == ["turn 1", "turn 2", "turn 3"]
    assert list(frame["read by the server"]) == [20, 45, 75]
    assert list(frame["re-sent so far"]) == list(frame["re-sent"].cumsum())


def test_a_session_of_another_service_gets_its_numbers_and_a_word_on_what_is_unknown(chat: ChatService) -> None:
    written_elsewhere(chat, user("theirs"), assistant("yes"), user("more"), assistant("no"))
    at = opened(REQUESTS)
    assert "The model was sent" in texts_of(at)
    assert "No turn was recorded" in texts_of(at)
    assert "is unknown" in texts_of(at)
    assert list(at.dataframe[0].value["request"]) == ["message 1", "message 3"]
    money = opened(MONEY)
    assert "no price known" in texts_of(money)
    assert "times as much for the same conversation" in texts_of(money)


def numbers_of(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name]) and name != "turn"]


def axis_of(chart: dict[str, Any]) -> str:
    """The name of a chart's axis, which stands above the plot."""
    above = [note["text"] for note in chart["layout"]["annotations"] if (note.get("yref"), note["y"]) == ("paper", 1)]
    assert len(above) == 1
    return str(above[0])


def names_a_counter(text: str) -> bool:
    return any(word in text for word in PROVENANCE_TEXT)


@pytest.mark.parametrize("foreign", [False, True])
@pytest.mark.parametrize("tab", TABS)
def test_no_number_stands_without_who_counted(chat: ChatService, tab: str, foreign: bool) -> None:
    if foreign:
        written_elsewhere(chat, user("theirs " * 30), assistant("yes " * 40), user("more"), assistant("no"))
    else:
        three_turns(chat)
    at = opened(tab)
    tables = [element.value for element in at.dataframe]
    charts = [json.loads(element.proto.spec) for element in at.get("plotly_chart")]
    assert tables or charts
    for frame in tables:
        beside = [name for name in frame.columns if name.startswith("who counted")]
        alone = [name for name in numbers_of(frame) if not names_a_counter(name) and name != "#"]
        assert beside or not alone, (list(frame.columns), alone)
        for name in beside:
            assert all(names_a_counter(str(who)) or who in ("", "no price known") for who in frame[name]), frame[name]
    for chart in charts:
        axis = axis_of(chart)
        assert names_a_counter(axis), axis


def test_nothing_is_sent_to_be_counted_without_a_click(chat: ChatService, typist: Typist) -> None:
    three_turns(chat)
    for tab in TABS:
        opened(tab)
    assert typist.requests == []


def test_an_endpoint_without_counting_says_so(chat: ChatService, typist: Typist) -> None:
    three_turns(chat)
    at = opened(COUNTS)
    at.button(key="ask_counts").click().run()
    assert not at.exception
    assert "no counting endpoint" in texts_of(at) or "not be reached" in texts_of(at) or "answered" in texts_of(at)


def test_counting_by_another_tokenizer_changes_the_bars_and_not_what_was_read(chat: ChatService) -> None:
    three_turns(chat)
    own = opened(REQUESTS).dataframe[0].value
    other = opened(REQUESTS, bars_by="characters / 4").dataframe[0].value
    assert list(own["read by the server"]) == list(other["read by the server"])
    assert list(own["sent"]) != list(other["sent"])
    assert set(other["who counted"]) == {"characters / 4, ~estimated"}


def test_an_error_that_would_change_a_decision_is_named(chat: ChatService) -> None:
    for number in range(6):
        exchange(chat, f"{number} 你好，世界。" * 12, "再见，朋友。" * 12)
    chat.store.save_settings(SESSION, settings(max_tokens=700, reserved_for_reply=64).to_dict())
    at = opened(COUNTS)
    assert "that would drop other messages" in texts_of(at)
    frame = at.dataframe[0].value
    assert frame["characters / 4: different decisions"].max() > 0


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-41.6, 8.4, "is off by −42% to +8%"),
        (2, 2.3, "counts 2% too many"),
        (-46, -28, "counts 28 to 46% too few"),
        (-0.2, 3, "is off by +0% to +3%"),
    ],
)
def test_the_errors_of_a_counter_are_told_in_words(low: float, high: float, words: str) -> None:
    assert counters.error_words(low, high) == words
