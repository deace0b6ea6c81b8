"""What every page shows of the open chat: its line, the other chats, and the settings of a new one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lib.chat.service import ChatService
from lib.history import SessionSummary
from lib.ui.shell import menu, services, session, sidebar
from tests.support.app.pages import SESSION, exchange, page, settings
from tests.support.servers.typist import Typist

OTHER = "11111111-2222-4333-8444-555555555555"


def summaries(*titles: str) -> Sequence[SessionSummary]:
    return [SessionSummary(str(number), title, 0.0, None) for number, title in enumerate(titles)]


@pytest.mark.parametrize("path", [entry.path for entry in menu.MENU.values()])
def test_every_page_names_the_open_chat_and_lists_the_others(chat: ChatService, path: str) -> None:
    exchange(chat, "A week in Lisbon", "Gladly.")
    exchange(chat, "Another chat", "Yes.", OTHER)
    chat.store.save_settings(SESSION, settings(max_tokens=640).to_dict())
    at = page(path)
    assert not at.exception
    line = next(caption.value for caption in at.caption if caption.value.startswith("**"))
    assert line == "**A week in Lisbon** · typist&#45;1 · window 640 tokens · all 2 messages sent"
    assert at.button(key=f"open:{SESSION}").label == "**A week in Lisbon**"
    at.button(key=f"open:{OTHER}").click().run()
    assert OTHER in at.query_params["session"]
    assert any(caption.value.startswith("**Another chat**") for caption in at.caption)


def test_the_line_counts_what_the_next_request_drops(chat: ChatService) -> None:
    for number in range(4):
        exchange(chat, f"question {number} " + "word " * 40, "answer " * 40)
    chat.store.save_settings(SESSION, settings(max_tokens=300, reserved_for_reply=60).to_dict())
    gauge = next(caption.value for caption in page().caption if caption.value.startswith("Next request"))
    assert "4 messages will be dropped" in gauge
    line = next(caption.value for caption in page("pages/tokens.py").caption if caption.value.startswith("**"))
    assert line.endswith("next: 4 of 8 messages won't be sent")


def test_equal_titles_are_numbered_from_the_oldest() -> None:
    assert sidebar.titles(summaries("a", "b", "a", "a")) == ["a (3)", "b", "a (2)", "a"]


def test_a_new_chat_begins_with_the_settings_chosen_last(chat: ChatService, typist: Typist) -> None:
    at = page()
    at.number_input(key=f"{SESSION}:max_tokens").set_value(8192).run()
    at.button(key="new_chat").click().run()
    new = at.session_state[session.SESSION_ID]
    at.chat_input(key="prompt").set_value("Hello").run()
    assert not at.exception
    assert new != SESSION
    assert chat.store.about(new).settings["max_tokens"] == 8192
    plan = chat.store.turns(new)[0].plan
    assert plan is not None
    assert plan.max_tokens == 8192


def test_an_address_without_a_stored_chat_says_so(chat: ChatService) -> None:
    said = "Nothing is stored at this address"
    assert any(said in caption.value for caption in page().caption)
    exchange(chat, "one", "two")
    assert not any(said in caption.value for caption in page().caption)


def test_the_endpoint_of_new_chats_is_the_configured_one(chat: ChatService) -> None:
    assert services.settings().preferred == "openai"  # the tests configure it
    line = next(caption.value for caption in page(session_id=OTHER).caption if caption.value.startswith("**"))
    assert line.startswith("**New chat** · ")
    assert "SmolLM2" not in line
