"""The context-window page: what was stored and sent, row by row; what changed; where a fact went; what is next."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.context import STRATEGIES
from lib.context.candidates import Summary
from lib.messages import Message, assistant, user
from lib.ui.components import message_rows, request_strip
from lib.ui.context_window import request_rows, tabs
from tests.support.app.pages import SESSION, exchange, overwritten, page, settings, written_elsewhere
from tests.support.servers.typist import Typist

PATH = "pages/context_window.py"
Drawn = dict[str, Any]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """The data that the page's own components were last drawn with, by key."""
    given: Drawn = {}

    def component(data: Mapping[str, Any], key: str, **_: object) -> None:
        given[key] = data

    monkeypatch.setattr(message_rows, "_COMPONENT", component)
    monkeypatch.setattr(request_strip, "_COMPONENT", component)
    return given


def opened(tab: str, **parameters: str) -> AppTest:
    at = page(PATH, state={"context_window_tab": tab}, **parameters)
    assert not at.exception, at.exception
    return at


def talked(chat: ChatService, *prompts: str, **changes: object) -> None:
    """A conversation through the chat page, in a window that makes it forget."""
    chat.store.save_settings(SESSION, settings(max_tokens=160, reserved_for_reply=40, **changes).to_dict())
    at = page()
    for prompt in prompts:
        at.chat_input(key="prompt").set_value(prompt).run()


FILLER = ["filler words to push things out " * 4 + str(n) for n in range(4)]


def opened_stretches(at: AppTest, drawn: Drawn, rows: str) -> None:
    """Open every stretch of messages that stands in one line, as a click on it does."""
    starts = [row["stretch"] for row in drawn[rows]["rows"] if row["stretch"] is not None]
    at.session_state[f"{SESSION}:{rows.removesuffix('_rows')}:stretches"] = frozenset(starts)
    at.run()
    assert not at.exception, at.exception


def messages(drawn: Drawn, rows: str) -> list[Drawn]:
    """The rows of single messages."""
    return [row for row in drawn[rows]["rows"] if row["index"] is not None]


def test_every_message_is_a_row_with_what_is_seen_stored_and_sent(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "My sister lives in Lisbon.", *FILLER)
    at = opened(tabs.SENT)
    rows = drawn["sent_rows"]["rows"]
    plan = chat.store.turns(SESSION)[-1].plan
    assert plan is not None
    gone = plan.left_out
    assert [row["name"] for row in rows] == [
        "system prompt",
        f"1 to {gone}",
        *(f"{n + 1} · {'user' if n % 2 == 0 else 'assistant'}" for n in range(gone, 9)),
    ]
    assert any(markdown.value.startswith(f"**{gone} of 9 messages were not sent,**") for markdown in at.markdown)
    opened_stretches(at, drawn, "sent_rows")
    each = messages(drawn, "sent_rows")
    assert [row["index"] for row in each] == list(range(9))
    first, newest = each[0], each[-1]
    seen, stored, sent = first["cells"]
    assert (first["words"], seen["text"]) == ("My sister lives in Lisbon.",) * 2
    assert stored["note"] == "the same text, with the role “user”"
    assert sent["gone"]
    assert first["tag"] == "over budget"
    assert "would exceed the 120-token budget. With everything after it" in first["why"]
    assert [cell["note"] for cell in newest["cells"][1:]] == [
        "the same text, with the role “user”",
        "the same as what is stored",
    ]
    assert newest["included"]
    assert sum(not row["included"] for row in each) == gone


def test_what_is_stored_otherwise_than_it_is_seen_is_shown_as_it_is_stored(chat: ChatService, drawn: Drawn) -> None:
    odd = Message("user", [{"type": "text", "text": "Hello"}], {"name": "Ann"})
    written_elsewhere(chat, odd, assistant("Hi."))
    opened(tabs.SENT)
    seen, stored, _ = messages(drawn, "sent_rows")[0]["cells"]
    assert seen["text"] == "Hello"
    assert json.loads(stored["text"]) == odd.to_dict()


def test_the_strip_holds_every_token_that_was_sent_or_not(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "My sister lives in Lisbon.", *FILLER)
    opened(tabs.SENT)
    strip, plan = drawn["sent_strip"], chat.store.turns(SESSION)[-1].plan
    assert plan is not None
    sent = sum(one["tokens"] for one in strip["sent"] if one["part"] not in ("reserved", "free"))
    assert sent == plan.input_tokens
    assert strip["window"] == sum(one["tokens"] for one in strip["sent"]) == 160
    assert [one["index"] for one in strip["left_out"]] == list(range(plan.left_out))


def test_a_request_is_chosen_by_its_number_in_the_url(chat: ChatService, drawn: Drawn) -> None:
    exchange(chat, "one", "two")
    exchange(chat, "three", "four")
    at = opened(tabs.SENT, turn="1")
    assert [row["words"] for row in messages(drawn, "sent_rows")] == ["one"]
    assert any("Everything was sent" in markdown.value for markdown in at.markdown)
    at.button(key="arrow:Next turn").click().run()
    assert at.query_params["turn"] == "2"
    assert [row["words"] for row in messages(drawn, "sent_rows")] == ["one", "two", "three"]


def test_what_was_sent_is_proved_and_a_forged_history_is_noticed(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "Hello", "again")
    at = opened(tabs.SENT)
    assert any("matches what was sent" in caption.value for caption in at.caption)
    overwritten(chat, user("forged"), *chat.store.load(SESSION)[1:])
    at = opened(tabs.SENT)
    assert any("cannot be rebuilt exactly" in warning.value for warning in at.warning)


@pytest.mark.parametrize(("form", "begins"), [("JSON", "{"), ("curl", "printf"), ("Python", "import os")])
def test_the_request_is_there_as_json_curl_and_python_without_a_key(
    chat: ChatService, drawn: Drawn, typist: Typist, form: str, begins: str
) -> None:
    talked(chat, "Hello")
    at = page(PATH, state={"context_window_tab": tabs.SENT, "sent:request": True, "sent:form": form})
    assert not at.exception, at.exception
    code = at.code[0].value
    assert code.startswith(begins)
    assert "sk-secret-in-tests" not in code
    turn = chat.store.turns(SESSION)[0]
    assert any(str(turn.request_sha256) in caption.value and "recorded" in caption.value for caption in at.caption)


def test_a_silent_cut_raises_the_alarm(chat: ChatService, drawn: Drawn, typist: Typist) -> None:
    typist.reads = 9
    talked(chat, "many words " * 40)
    at = opened(tabs.SENT)
    assert "cut this request without saying so" in at.error[0].value
    typist.reads = None
    talked(chat, "short")
    assert not opened(tabs.SENT).error


def test_messages_of_another_service_are_shown_as_what_would_have_been_sent(chat: ChatService, drawn: Drawn) -> None:
    written_elsewhere(chat, user("theirs"), assistant("yes"), user("more"), assistant("no"))
    at = opened(tabs.SENT)
    assert any("no record of what it sent" in markdown.value for markdown in at.markdown)
    assert [row["words"] for row in messages(drawn, "sent_rows")] == ["theirs", "yes", "more"]
    opened(tabs.SENT, turn="m1")
    assert [row["words"] for row in messages(drawn, "sent_rows")] == ["theirs"]


def test_a_turn_without_its_messages_keeps_its_texts(chat: ChatService, drawn: Drawn) -> None:
    exchange(chat, "one", "two")
    overwritten(chat, user("other"), assistant("texts"))
    at = opened(tabs.SENT, turn="1")
    assert "does not match the stored messages" in at.info[0].value
    assert [code.value for code in at.code] == ["one", "two"]


def test_what_changed_between_two_requests(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "My sister lives in Lisbon.", *FILLER)
    at = opened(tabs.CHANGED)
    opened_stretches(at, drawn, "difference_rows")
    rows = drawn["difference_rows"]["rows"]
    assert {row["name"][0] for row in rows} == {"+", "−", "="}
    assert any("**From turn 4 to turn 5:**" in markdown.value for markdown in at.markdown)
    box = next(caption.value for caption in at.caption if "**Our reading:**" in caption.value)
    first = min(row["index"] for row in rows if row["tag"] == "dropped" and row["index"] is not None)
    assert f"Message {first + 1} is no longer sent" in box
    assert "**Reported:** Not reported" in box
    assert "The provider says" not in box
    dropped = [row for row in rows if row["tag"] == "dropped"]
    assert dropped
    for row in dropped:
        assert row["cells"][1]["gone"]
        assert row["cells"][1]["note"].startswith("Dropped: would exceed the 120-token budget.")


def test_the_first_request_has_nothing_before_it(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "one", "two")
    assert "This is the first request" in opened(tabs.CHANGED, turn="1").info[0].value


def test_a_fact_that_was_dropped_is_found_with_turn_rule_and_other_strategies(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "My sister lives in Lisbon.", *FILLER)
    at = page(PATH, state={"context_window_tab": tabs.FIND, "fact": "lisbon", "table:strategies-0": True})
    turns = chat.store.turns(SESSION)
    first = next(turn for turn in turns if turn.plan is not None and not turn.plan.runs[0][2])
    lines = [markdown.value for markdown in at.markdown]
    assert any(
        f"Turn {first.number} was the first without it" in words and STRATEGIES["oldest_first"].short in words
        for words in lines
    )
    middle = STRATEGIES["head_and_tail"].short
    assert any(f"would still have sent it: {middle}" in caption.value for caption in at.caption)
    frame = at.dataframe[0].value
    kept = dict(zip(frame["strategy"], frame["it would be"], strict=True))
    assert kept[STRATEGIES["none"].short] == "sent"
    assert any("no summary" in note.lower() for note in frame["note"])
    assert kept[STRATEGIES["oldest_first"].short] == "not sent"
    at.button(key="look:0").click().run()
    assert at.query_params["turn"] == str(first.number)
    assert drawn["sent_rows"]["chosen"] == 0


def test_a_fact_that_was_always_sent_and_one_that_is_in_no_message(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "Lisbon", "and now?")
    at = page(PATH, state={"context_window_tab": tabs.FIND, "fact": "LISBON"})
    assert any("It was sent with all 1 later request" in markdown.value for markdown in at.markdown)
    at = page(PATH, state={"context_window_tab": tabs.FIND, "fact": "Madrid"})
    assert "No stored message" in at.info[0].value


def test_the_next_request_follows_every_change_and_stores_nothing_until_kept(
    chat: ChatService, drawn: Drawn, typist: Typist
) -> None:
    talked(chat, "My sister lives in Lisbon.", *FILLER)
    before, sent = chat.store.about(SESSION), len(typist.requests)
    at = opened(tabs.NEXT)
    assert drawn["next_rows"]["rows"][1]["stretch"] == 0
    assert not drawn["next_rows"]["rows"][1]["included"]
    opened_stretches(at, drawn, "next_rows")
    at.select_slider(key=f"{SESSION}:try:max_tokens").set_value(4096).run()
    assert all(row["included"] for row in drawn["next_rows"]["rows"])
    at.selectbox(key=f"{SESSION}:try:strategy").select("sliding_window").run()
    at.number_input(key=f"{SESSION}:try:last_exchanges").set_value(2).run()
    assert [row["tag"] for row in messages(drawn, "next_rows")] == ["too old"] * 8 + ["recent"] * 3
    at.text_area(key=f"{SESSION}:try:prompt").set_value("a draft").run()
    draft = drawn["next_rows"]["rows"][-1]
    assert draft["words"] == "a draft"
    assert draft["cells"][1]["note"] == "nothing yet: it is stored once it is answered"
    assert chat.store.about(SESSION) == before
    assert len(typist.requests) == sent
    at.button(key="keep_trial").click().run()
    stored = chat.store.about(SESSION).settings
    assert (stored["strategy"], stored["last_exchanges"], stored["max_tokens"]) == ("sliding_window", 2, 4096)
    assert "keep_trial" not in {button.key for button in at.button}


def test_back_to_what_is_stored(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "Hello")
    at = opened(tabs.NEXT)
    at.selectbox(key=f"{SESSION}:try:strategy").select("none").run()
    at.button(key="forget_trial").click().run()
    assert at.selectbox(key=f"{SESSION}:try:strategy").value == "oldest_first"


def test_a_new_session_shows_what_the_first_request_would_hold(chat: ChatService, drawn: Drawn) -> None:
    at = page(PATH)
    assert "Nothing was sent yet" in at.info[0].value
    assert [row["name"] for row in drawn["next_rows"]["rows"]] == ["system prompt", "new · user"]


def test_long_conversations_are_drawn_page_by_page(chat: ChatService, drawn: Drawn) -> None:
    for n in range(70):
        exchange(chat, f"q{n}", f"a{n}")
    at = opened(tabs.SENT)
    stretch, *newest = drawn["sent_rows"]["rows"]
    assert stretch["words"].startswith("129 messages sent, ")
    assert [row["index"] for row in newest] == list(range(129, 139))
    page(PATH, state={"context_window_tab": tabs.SENT, "chosen_message": 3})
    assert [row["index"] for row in messages(drawn, "sent_rows")] == list(range(59))
    assert len(drawn["sent_strip"]["sent"]) <= request_strip.MOST_SEGMENTS + 5
    opened_stretches(at, drawn, "sent_rows")
    assert [row["index"] for row in messages(drawn, "sent_rows")] == list(range(119, 139))


def test_two_hundred_messages_of_which_most_were_dropped_are_a_few_lines(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, *(f"question {n} " * 3 for n in range(60)), strategy="low_water")
    opened(tabs.SENT)
    rows = drawn["sent_rows"]["rows"]
    plan = chat.store.turns(SESSION)[-1].plan
    assert plan is not None
    assert len(rows) <= 12
    counts = [int(row["words"].split()[0]) for row in rows if row["stretch"] is not None]
    single = sum(not row["included"] for row in messages(drawn, "sent_rows"))
    assert sum(counts) + single == plan.left_out > 100


def test_no_component_puts_text_on_the_page_as_html() -> None:
    scripts = sorted((Path(__file__).parents[2] / "lib/ui/components").rglob("*.js"))
    assert len(scripts) >= 2
    assert not [script for script in scripts if re.search("innerHTML|insertAdjacentHTML", script.read_text())]


def test_a_very_long_message_is_cut_where_it_is_drawn() -> None:
    assert request_rows.cut("x" * 5000).endswith("(1,000 more characters)")
    assert request_rows.cut("cut \ud83d") == "cut \ufffd"


def test_a_request_that_would_be_refused_is_shown_with_rule_and_repair(chat: ChatService, drawn: Drawn) -> None:
    written_elsewhere(chat, user("q"), Message("tool", "42", {"tool_call_id": "c1"}), assistant("a"))
    chat.store.save_settings(SESSION, settings(strategy="none").to_dict())
    at = opened(tabs.NEXT)
    lines = [warning.value for warning in at.warning]
    assert any("No tool result without its call" in words and "smarter-sh/smarter#264" in words for words in lines)
    assert any("- tool: 42" in code.value for code in at.code)
    chat.store.save_settings(SESSION, settings(strategy="low_water").to_dict())
    at = opened(tabs.NEXT)
    assert not at.warning
    assert any("Valid OpenAI request" in expander.label for expander in at.expander)


def test_breaking_a_request_on_purpose_sends_it_and_stores_nothing(
    chat: ChatService, drawn: Drawn, typist: Typist
) -> None:
    talked(chat, "Hello")
    before, sent = chat.store.about(SESSION), len(typist.requests)
    typist.error = (
        400,
        {"error": {"message": "messages with role 'tool' must follow", "type": "invalid_request_error"}},
        {},
    )
    at = page(PATH, state={"context_window_tab": tabs.NEXT, "break_it": True, "break_name": "orphan_result"})
    assert not at.exception, at.exception
    assert len(typist.requests) == sent
    at.button(key="send_broken").click().run()
    assert [message["role"] for message in typist.requests[-1]["messages"]][:4] == [
        "system",
        "user",
        "tool",
        "assistant",
    ]
    assert any("Refused." in error.value and "must follow" in error.value for error in at.error)
    assert chat.store.about(SESSION) == before
    assert len(chat.store.load(SESSION)) == 2
    typist.error = None
    at.button(key="send_broken").click().run()
    assert any("Accepted." in success.value for success in at.success)


SUMMARY = Summary("They talked about Lisbon.", ((0, 2),), "typist-1", 1.0)


def test_the_summary_in_force_is_shown_sent_and_undone(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "My sister lives in Lisbon.", *FILLER[:2], strategy="oldest_first")
    chat.store.keep_summaries(SESSION, [SUMMARY])
    chat.store.save_settings(SESSION, settings(strategy="summarize", max_tokens=120, reserved_for_reply=10).to_dict())
    at = page(PATH, state={"context_window_tab": tabs.NEXT, "summary": True})
    assert not at.exception, at.exception
    rows = drawn["next_rows"]["rows"]
    assert rows[1]["name"] == "summary of 1 to 2"
    assert "They talked about Lisbon." in rows[1]["cells"][2]["text"]
    opened_stretches(at, drawn, "next_rows")
    covered = next(row for row in drawn["next_rows"]["rows"] if row["index"] == 0)
    assert "the summary of 1 to 2" in covered["why"]
    assert "They talked about Lisbon." in [code.value for code in at.code]
    at.button(key="undo_summary").click().run()
    assert chat.store.about(SESSION).summaries == ()
    assert len(chat.store.load(SESSION)) == 6


def test_a_summary_is_made_by_sending_and_its_cost_is_shown_apart(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "My sister lives in Lisbon.", *FILLER[:2], strategy="oldest_first")
    chat.store.save_settings(SESSION, settings(strategy="summarize", max_tokens=130, reserved_for_reply=20).to_dict())
    at = page()
    assert any("summarized first, in a request of its own" in caption.value for caption in at.caption)
    at.chat_input(key="prompt").set_value(FILLER[3]).run()
    made = chat.store.turns(SESSION)[-1].summarized
    assert made is not None
    assert any("a summary was made" in caption.value for caption in at.caption)
    shown = opened(tabs.SENT)
    assert any("It is billed separately" in caption.value for caption in shown.caption)
    tokens = page("pages/tokens.py", state={"tokens_tab": "Money", "table:money": True})
    assert any(
        "summary for turn 4" in list(frame.value["request"])
        for frame in tokens.dataframe
        if "request" in frame.value.columns
    )


def test_pins_and_mutes_are_seen_in_the_chat(chat: ChatService) -> None:
    exchange(chat, "one", "two")
    exchange(chat, "three", "four")
    chat.store.mark(SESSION, 0, "pinned")
    chat.store.mark(SESSION, 2, "muted")
    captions = [caption.value for caption in page().caption]
    assert ":material/push_pin: Pinned: always sent" in captions
    assert sum("Replaced or muted" in words for words in captions) == 2


def test_a_summary_that_will_be_made_is_announced_with_its_size(chat: ChatService, drawn: Drawn) -> None:
    talked(chat, "My sister lives in Lisbon.", *FILLER, strategy="oldest_first")
    chat.store.save_settings(SESSION, settings(strategy="summarize", max_tokens=200, reserved_for_reply=20).to_dict())
    at = opened(tabs.NEXT)
    assert any("writes a summary of" in info.value and "a request of its own" in info.value for info in at.info)


def test_imported_messages_say_where_they_came_from(chat: ChatService, drawn: Drawn) -> None:
    chat.import_messages(SESSION, [user("My sister lives in Lisbon."), assistant("Nice.")], settings(), "a file")
    at = opened(tabs.SENT)
    assert any("Imported from a file; no request was made here." in markdown.value for markdown in at.markdown)
    assert not any("Another service" in markdown.value for markdown in at.markdown)
