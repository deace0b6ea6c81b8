"""The sessions page: what the list says, what each button stores, and that the original of a fork stays as it is."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.errors import ProviderUnavailable
from lib.history.sessions import Gone, Parent, SessionPage, SessionQuery, SessionRow
from lib.messages import Usage, assistant, user
from lib.turns import LiveTurn
from lib.ui.sessions import row_words, session_list, tabs
from lib.ui.shell import absent, services
from tests.support.app.pages import SESSION, exchange, page, settings
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until

OTHER = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
PATH = "pages/sessions.py"


def opened(tab: str = tabs.LIST, session_id: str = SESSION, view: str = tabs.TRANSCRIPT, **parameters: str) -> AppTest:
    """The page with one of its tabs open, and with the panels that draw nothing while they are closed."""
    panels = {"rename_panel": True, "delete_panel": True, f"edit_panel:{SESSION}:2": True}
    at = page(PATH, session_id, {**panels, tabs.TAB: tab, tabs.VIEW: view}, **parameters)
    assert not at.exception
    return at


def two_chats(chat: ChatService) -> None:
    exchange(chat, "My sister lives in Lisbon", "Noted.", usage=Usage(1200, 0, 0, 30))
    exchange(chat, "Where does she live?", "In Lisbon.", usage=Usage(1300, 0, 0, 20))
    chat.store.save_settings(OTHER, settings(model="other-1").to_dict())
    exchange(chat, "What is a comet?", "A ball of ice.", OTHER)


def titles(at: AppTest) -> list[str]:
    """The titles in the list, without the marks of the open and the pinned chat."""
    rows = [each for each in at.main.button if (each.key or "").startswith("show:")]
    return [each.label.split(": ")[-1].strip("*") for each in rows]


def captions(at: AppTest) -> list[str]:
    """The lines below the titles in the list."""
    return [each.value for each in at.main.caption if " · this app" in each.value]


def sentences(at: AppTest) -> str:
    return "\n".join(each.value for each in at.markdown)


def row(chat: ChatService, session_id: str = SESSION) -> SessionRow:
    found = chat.store.row(session_id)
    assert found is not None
    return found


def new_session(chat: ChatService, *known: str) -> str:
    """The id of the session that was not there before."""
    (new,) = {each.session_id for each in chat.store.sessions(50)} - {SESSION, *known}
    return new


def test_the_list_says_of_each_chat_what_it_took_who_counted_and_how_long_it_is_kept(chat: ChatService) -> None:
    two_chats(chat)
    at = opened()
    lisbon, comet = (html.unescape(each) for each in captions(at)[::-1])
    assert lisbon.startswith(
        "typist-1 · 4 messages · 2,500 tokens in, 50 out (billed) · no price known · just now · ▰▰▰▰▰ "
    )
    assert lisbon.endswith(" · this app")
    assert " · tokens not reported · " in comet
    assert "**2 chats are stored.** Click a title to open it." in sentences(at)


def test_the_filters_are_part_of_the_address(chat: ChatService) -> None:
    two_chats(chat)
    exchange(chat, "Draft it", "Half", OTHER)
    assert titles(opened(find="SISTER")) == ["My sister lives in Lisbon"]
    assert titles(opened(find="ball of ice")) == ["What is a comet?"]
    assert titles(opened(model="typist-1")) == ["What is a comet?", "My sister lives in Lisbon"]
    nothing = opened(find="nobody said this")
    assert "**No chat found** among 2 chats." in sentences(nothing)
    nothing.button(key="clear_filters").click().run()
    assert len(titles(nothing)) == 2
    chat.store.begin(SESSION, LiveTurn("again", settings(), "t", 0.0, error=ProviderUnavailable("It went away.")))
    assert titles(opened(only="Failed or interrupted")) == ["My sister lives in Lisbon"]
    assert titles(opened(only="Something was dropped")) == []
    assert titles(opened(last_used="Before the last 7 days")) == []
    assert titles(opened(strategy="Oldest first", last_used="The last hour", find="comet")) == ["What is a comet?"]


def test_the_list_goes_on_page_by_page_and_back(chat: ChatService) -> None:
    for number in range(32):
        chat.store.import_messages(f"chat-{number}", [user(f"question {number}"), assistant("yes")], "a file")
    at = opened()
    first = titles(at)
    assert len(first) == 25
    assert "**32 chats are stored.** These are the 25 used last" in sentences(at)
    at.button(key="next_sessions").click().run()
    assert len(titles(at)) == 7
    assert not {*titles(at)} & {*first}
    at.button(key="previous_sessions").click().run()
    assert titles(at) == first


def test_a_search_that_stopped_early_says_how_far_it_came() -> None:
    early = SessionPage((SessionRow("a"),), "cursor", 2000, 100_000)
    said = session_list.sentence(early, SessionQuery(text="x"), 2, 4000)
    assert said.startswith("**1 chat found** among the 4,000 used last of 100,000 chats. The search stopped there")


def test_what_a_row_says() -> None:
    forever = SessionRow("a", expires_in=None)
    assert row_words.time_left(forever, 100) == "never expires"
    assert row_words.time_left(replace(forever, origin="service"), 100) == "kept by another service"
    assert row_words.time_left(SessionRow("a", expires_in=3 * 3600), 86_400) == "▰▱▱▱▱ 3 h left"
    busy = SessionRow("a", turns_with_dropped=3, stopped=1, interrupted=True)
    assert row_words.happened(busy) == "dropped in 3 turns, 1 turn stopped, interrupted"
    assert row_words.title_of(SessionRow("a", title=":material/delete: $x$")) == "&#58;material/delete&#58; &#36;x&#36;"


def test_the_open_chat_is_renamed_pinned_and_kept_longer(chat: ChatService) -> None:
    two_chats(chat)
    at = opened(tabs.OPEN)
    assert "4 messages in 2 turns · 2,500 tokens in, 50 out (billed) · no price known" in sentences(at)
    at.text_input(key=f"title:{SESSION}").set_value("  Where my sister lives ")
    at.button(key="FormSubmitter:rename-Save").click().run()
    at.button(key="pin_session").click().run()
    at.menu_button(key="time_left").click("Keep it for ever").run()
    assert not at.exception
    kept = row(chat)
    assert (kept.title, kept.pinned, kept.expires_in) == ("Where my sister lives", True, None)
    labels = [button.label for button in at.sidebar.button]
    assert labels.index("**Where my sister lives**") < labels.index("What is a comet?")
    at.text_input(key=f"title:{SESSION}").set_value("  ")
    at.button(key="FormSubmitter:rename-Save").click().run()
    assert any("A title needs at least one character" in warning.value for warning in at.warning)
    assert row(chat).title == "Where my sister lives"


def test_a_deleted_chat_comes_back_with_everything_it_had(chat: ChatService) -> None:
    two_chats(chat)
    before, turns = chat.store.raw(SESSION), chat.store.turns(SESSION)
    at = opened(tabs.OPEN)
    at.button(key="delete_session").click().run()
    assert chat.store.row(SESSION) is None
    assert titles(at) == ["What is a comet?"]
    gone = page()
    assert any("was deleted just now" in info.value for info in gone.info)
    at.button(key="undo_delete").click().run()
    assert not at.exception
    assert (chat.store.raw(SESSION), chat.store.turns(SESSION)) == (before, turns)
    assert at.query_params["session"] in (SESSION, [SESSION])


def test_a_chat_that_expired_says_so_at_its_address(chat: ChatService) -> None:
    two_chats(chat)
    at = opened(tabs.OPEN)
    at.menu_button(key="time_left").click("Let it expire now").run()
    assert chat.store.row(SESSION) is None
    (said,) = [info.value for info in page().info]
    assert said.startswith("“My sister lives in Lisbon” expired just now (")
    lost = absent.words(Gone("a", "lost", 0.0), 9.0)
    assert lost.startswith("The chat at this address is gone before its time was up")


def test_a_fork_begins_with_the_messages_up_to_there(chat: ChatService) -> None:
    two_chats(chat)
    before = chat.store.raw(SESSION)
    at = opened(tabs.OPEN)
    at.button(key=f"fork:{SESSION}:1").click().run()
    assert not at.exception
    fork = new_session(chat, OTHER)
    assert [message.text for message in chat.store.load(fork)] == ["My sister lives in Lisbon", "Noted."]
    assert "**This chat was forked after message 2**" in sentences(at)
    assert chat.store.raw(SESSION) == before
    at.button(key=f"relative_open:{SESSION}").click().run()
    assert "**1 chat comes from this one.**" in sentences(at)


def test_an_edited_message_is_answered_in_a_fork_and_never_in_place(chat: ChatService, typist: Typist) -> None:
    two_chats(chat)
    before = chat.store.raw(SESSION)
    at = opened(tabs.OPEN)
    at.text_area(key=f"edited:{SESSION}:2").set_value("Who lives in Lisbon?")
    at.button(key=f"FormSubmitter:edit:{SESSION}:2-Create the fork").click().run()
    assert not at.exception
    fork = new_session(chat, OTHER)
    wait_until(lambda: len(chat.store.load(fork)) == 4)
    assert chat.store.load(fork)[2].text == "Who lives in Lisbon?"
    assert [each["content"] for each in typist.requests[0]["messages"]][1:] == [
        "My sister lives in Lisbon",
        "Noted.",
        "Who lives in Lisbon?",
    ]
    assert chat.store.raw(SESSION) == before
    assert row(chat, fork).parent is not None


def test_two_chats_are_compared_exchange_by_exchange(chat: ChatService) -> None:
    two_chats(chat)
    at = opened(tabs.OPEN)
    at.button(key=f"fork:{SESSION}:1").click().run()
    fork = new_session(chat, OTHER)
    exchange(chat, "Where does she work?", "Nowhere.", fork)
    at = opened(tabs.COMPARE, **{"with": fork})
    said = sentences(at)
    assert "**The first exchange is the same.** The one after that differs." in said
    assert "Where does she :red-background[**live?**]" in said
    assert "Where does she :green-background[**work?**]" in said
    assert any("1,300 tokens in · 20 out (billed)" in caption.value for caption in at.caption)
    unrelated = opened(tabs.COMPARE, **{"with": OTHER})
    assert "**2 of 2 exchanges differ**, from the first one on." in sentences(unrelated)


def test_a_replay_says_what_it_takes_then_asks_the_same_questions_in_a_new_chat(
    chat: ChatService, typist: Typist
) -> None:
    two_chats(chat)
    before = chat.store.raw(SESSION)
    at = opened(tabs.REPLAY)
    assert "**2 requests: about " in sentences(at)
    assert "no price known" in sentences(at)
    assert not typist.requests
    at.text_area(key=f"replay:{SESSION}:system_prompt").set_value("Answer in Dutch.").run()
    at.button(key="start_replay").click().run()
    assert not at.exception
    wait_until(lambda: len(chat.store.sessions(9)) == 3)
    replay = new_session(chat, OTHER)
    wait_until(lambda: len(chat.store.turns(replay)) == 2)
    wait_until(lambda: (found := services.replays().find(replay)) is not None and found.state == "done")
    asked = [message["content"] for message in typist.requests[-1]["messages"] if message["role"] != "assistant"]
    assert asked == ["Answer in Dutch.", "My sister lives in Lisbon", "Where does she live?"]
    assert chat.store.raw(SESSION) == before
    assert "2 of 2 questions answered" in sentences(at.run())
    at.button(key=f"replay_compare:{replay}").click().run()
    assert "**2 of 2 exchanges differ**" in sentences(at)


@pytest.fixture
def stopped(chat: ChatService) -> str:
    """A replay with one of its two questions answered, as after a restart of the app."""
    two_chats(chat)
    replay = "cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    exchange(chat, "My sister lives in Lisbon", "Ja.", replay)
    chat.store.save_settings(replay, settings().to_dict())
    chat.store.set_parent(replay, Parent(SESSION, 4, "replay"))
    return replay


def test_a_replay_goes_on_after_a_restart(chat: ChatService, stopped: str) -> None:
    at = opened(tabs.REPLAY)
    assert "1 of 2 questions answered" in sentences(at)
    at.button(key=f"replay_on:{stopped}").click().run()
    wait_until(lambda: len(chat.store.turns(stopped)) == 2)
    assert chat.store.load(stopped)[2].text == "Where does she live?"


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (tabs.STORED, f"under the key `chat:{SESSION}`"),
        (tabs.TIME, "**2 turns:** no message was dropped."),
        (tabs.SETTINGS, "**The chat goes on with these settings**"),
    ],
)
def test_each_view_begins_with_a_sentence(chat: ChatService, view: str, said: str) -> None:
    two_chats(chat)
    at = opened(tabs.OPEN, view=view)
    assert said in sentences(at)
    if view == tabs.STORED:
        stored: Any = chat.store.raw(SESSION)
        assert at.code[0].value == stored.decode()
