"""What the first page offers: an example on every page with one click, and a demonstration that plays by itself."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.example import forgetting, is_example
from lib.example.recording import recorded
from lib.providers.scripted import Script, ScriptedProvider
from lib.settings import EXAMPLE
from lib.ui.chat import state
from lib.ui.shell import session
from tests.support.app.pages import SESSION, page, settings
from tests.support.servers.typist import Typist
from tests.ui.test_pages import texts

NOTE = "written by hand; no model was asked"


def drawn(at: AppTest) -> str:
    """All texts of a page."""
    return "\n".join(str(each.value) for each in (*at.markdown, *at.caption, *at.info, *at.warning))


def opened(at: AppTest) -> str:
    """Id of the chat that a page shows."""
    session_id: str = at.session_state[session.SESSION_ID]
    return session_id


def open_example(chat: ChatService) -> str:
    at = page()
    at.button(key="open_example").click().run()
    assert not at.exception
    return opened(at)


def test_the_example_is_opened_with_one_click_and_nothing_is_sent(chat: ChatService, typist: Typist) -> None:
    at = page()
    at.button(key="open_example").click().run()
    assert not at.exception
    session_id = opened(at)
    assert session_id != SESSION
    assert at.query_params["session"] in (session_id, [session_id])
    assert texts(at)[-1].startswith("You are welcome.")
    assert NOTE in drawn(at)
    assert any("written by hand · 1,6" in caption.value for caption in at.caption)
    assert "output not reported" not in drawn(at)
    assert (len(chat.store.load(session_id)), len(chat.store.turns(session_id))) == (80, 40)
    assert is_example(chat.store.about(session_id))
    assert typist.requests == []
    assert list(chat.store.load(SESSION)) == []


def test_each_click_makes_a_copy_of_its_own(chat: ChatService) -> None:
    first, second = open_example(chat), open_example(chat)
    chat.store.clear(first)
    assert len(chat.store.load(second)) == 80


def test_the_example_goes_on_with_the_visitors_own_model(chat: ChatService, typist: Typist) -> None:
    at = page()
    at.button(key="open_example").click().run()
    at.chat_input(key="prompt").set_value("Still there?").run()
    assert not at.exception
    newest = chat.store.turns(opened(at))[-1]
    assert (newest.provider, newest.model, newest.number) == ("openai", "typist-1", 41)
    assert newest.plan is not None
    assert newest.plan.left_out > 30
    assert typist.requests[0]["messages"][-1]["content"] == "Still there?"
    assert texts(at)[-1] == typist.text().rstrip()


@pytest.mark.parametrize("path", ["app.py", *(f"pages/{name}.py" for name in ("tokens", "trim_lab", "threads"))])
def test_every_page_shows_the_example_and_says_what_it_is(chat: ChatService, path: str) -> None:
    at = page(path, open_example(chat))
    assert not at.exception
    assert NOTE in drawn(at)
    assert "billed" not in drawn(at).replace("(billed", "")


@pytest.mark.model
def test_the_context_window_page_proves_what_the_example_would_have_sent(chat: ChatService) -> None:
    at = page("pages/context_window.py", open_example(chat), turn="38")
    assert not at.exception
    assert "38 of 75 messages were not sent" in drawn(at)
    assert "matches the recorded one" in drawn(at)
    assert "no server read this request" in drawn(at)
    assert NOTE in drawn(at)


def test_the_tokens_page_claims_neither_payment_nor_typing(chat: ChatService) -> None:
    words = drawn(page("pages/tokens.py", open_example(chat)))
    assert "Nothing was paid: the replies were written by hand." in words
    assert "A model would have been sent" in words
    assert "You have typed" not in words


@pytest.mark.model
def test_the_tokens_page_counts_the_example_as_the_chat_does(chat: ChatService) -> None:
    session_id = open_example(chat)
    counted = sum(turn.plan.input_tokens for turn in chat.store.turns(session_id) if turn.plan is not None)
    words = drawn(page("pages/tokens.py", session_id))
    assert f"A model would have been sent {counted:,} (counted)" in words
    assert "stand-in" not in words


def test_an_ordinary_chat_is_not_said_to_be_an_example(chat: ChatService) -> None:
    assert NOTE not in drawn(page())


def test_opening_it_reads_a_file_that_has_no_other_turns() -> None:
    assert {turn.provider for turn in recorded().turns} == {EXAMPLE}


def watched(typist: Typist, words: int = 12) -> AppTest:
    """The page after the demonstration was played."""
    typist.words = words
    at = page()
    at.button(key="watch_it_forget").click().run(timeout=60)
    assert not at.exception
    return at


def small_reserve(chat: ChatService) -> None:
    """The settings that the first page starts from, with a reserve in which the typist's replies fit."""
    chat.store.save_settings(SESSION, settings(reserved_for_reply=64).to_dict())


def test_the_demonstration_plays_to_its_end_and_says_what_was_dropped(chat: ChatService, typist: Typist) -> None:
    small_reserve(chat)
    at = watched(typist)
    session_id = opened(at)
    assert forgetting.is_demonstration(session_id)
    turns = chat.store.turns(session_id)
    found = forgetting.progress(chat.store.load(session_id), turns)
    assert found.dropped_at is not None
    assert [request["messages"][-1]["content"] for request in typist.requests] == [turn.prompt for turn in turns]
    assert turns[-1].prompt == forgetting.QUESTION
    assert f"The last message with “The door code is 7421” was dropped at turn {found.dropped_at}" in drawn(at)
    assert "7421" not in str(typist.requests[-1])
    assert any(":material/visibility_off: No longer sent: dropped at turn" in each.value for each in at.caption)
    assert chat.store.about(session_id).settings["strategy"] == "oldest_first"
    assert "pause" not in {button.key for button in at.button}


def test_a_demonstration_that_is_opened_again_sends_nothing_until_it_is_asked_to(
    chat: ChatService, typist: Typist
) -> None:
    chosen = forgetting.settings_for(settings(reserved_for_reply=64))
    chat.store.save_settings("forgetting-1", chosen.to_dict())
    provider = ScriptedProvider(*(Script(["The door code is 7421."]) for _ in forgetting.OPENING))
    for prompt in forgetting.OPENING:
        live = chat.send("forgetting-1", prompt, chosen, lambda _: provider)
        list(chat.follow("forgetting-1", live.id))
    typist.words = 12
    at = page(session_id="forgetting-1")
    assert not at.exception
    assert typist.requests == []
    assert "is still sent with every message" in drawn(at)
    assert at.button(key="pause").label == "Go on"
    at.button(key="pause").click().run(timeout=60)
    assert not at.exception
    assert typist.requests[0]["messages"][-1]["content"] == forgetting.FILLERS[0]
    assert chat.store.turns("forgetting-1")[-1].prompt == forgetting.QUESTION
    assert "At turn 2 it was sent, and the model knew the code." in drawn(at)


def test_a_failed_turn_waits_for_its_person_and_discarding_it_sends_nothing(chat: ChatService, typist: Typist) -> None:
    small_reserve(chat)
    typist.error = (400, {"error": {"message": "no"}}, {})
    at = page()
    at.button(key="watch_it_forget").click().run()
    assert len(typist.requests) == 1
    at.button(key="discard").click().run()
    assert not at.exception
    assert len(typist.requests) == 1
    assert at.session_state[state.PLAYING] is None


def test_what_a_person_says_ends_the_demonstration(chat: ChatService, typist: Typist) -> None:
    small_reserve(chat)
    at = watched(typist)
    before = len(typist.requests)
    at.chat_input(key="prompt").set_value("And now?").run()
    assert not at.exception
    assert len(typist.requests) == before + 1
