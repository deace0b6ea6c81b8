"""What pages show to whom: one person, visitors, and people who have to log in."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.access import Person
from lib.access.gate import Gate
from lib.access.gated_chat import GatedChat
from lib.chat.service import ChatService
from lib.history.sessions import SessionQuery, Share
from lib.ui.sessions import filters, tabs
from lib.ui.shell import menu, services, session
from tests.support.app.pages import SESSION, exchange, page

ANNA, BERT = "visitor-" + "a" * 22, "visitor-" + "b" * 22
REFUSED = "This chat belongs to someone else."
PATHS = [entry.path for entry in menu.MENU.values()]


@pytest.fixture
def visitors(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> ChatService:
    """The app for visitors, with a chat of the first one. Without a cookie, session state says who looks."""
    monkeypatch.setenv("WINDOWSEAT_PEOPLE", "visitors")
    st.cache_resource.clear()
    service = services.everyones_chat()
    exchange(GatedChat(Gate(Person("visitors", ANNA), service.store), service), "A secret", "It is safe.")
    return service


def opened_by(owner: str, path: str = "app.py", **parameters: str) -> AppTest:
    return page(path, state={session.PASSING_OWNER: owner}, **parameters)


def words(at: AppTest) -> str:
    """Everything that is written on the page."""
    texts = [*at.markdown, *at.caption, *at.error, *at.info, *at.warning, *at.subheader]
    return "\n".join(str(each.value) for each in texts)


def keys(at: AppTest) -> set[str]:
    return {button.key or "" for button in at.button}


@pytest.mark.parametrize("path", PATHS)
def test_somebody_elses_chat_is_refused_on_every_page_with_a_way_on(visitors: ChatService, path: str) -> None:
    before = visitors.store.about(SESSION)
    at = opened_by(BERT, path)
    assert not at.exception
    assert sum(REFUSED in each.value for each in at.error) == 1
    assert "secret" not in words(at)
    assert f"open:{SESSION}" not in keys(at)
    at.button(key="own_chat").click().run()
    assert REFUSED not in words(at)
    assert at.query_params["session"] != SESSION
    assert visitors.store.about(SESSION) == before


@pytest.mark.parametrize("path", PATHS)
def test_the_owner_sees_it_as_ever(visitors: ChatService, path: str) -> None:
    at = opened_by(ANNA, path)
    assert not at.exception
    assert not at.error
    assert f"open:{SESSION}" in keys(at)
    assert "Only you see your chats" in words(at)


@pytest.mark.parametrize("share", ["read", "write"])
@pytest.mark.parametrize("path", PATHS)
def test_a_shared_chat_opens_on_every_page(visitors: ChatService, path: str, share: Share) -> None:
    visitors.store.set_share(SESSION, share)
    at = opened_by(BERT, path)
    assert not at.exception
    assert not at.error
    assert "shared with you" in words(at)
    assert f"open:{SESSION}" not in keys(at), "what others shared is not in one's own list"


def test_readers_are_offered_nothing_that_writes(visitors: ChatService) -> None:
    visitors.store.set_share(SESSION, "read")
    at = opened_by(BERT)
    assert at.chat_input[0].disabled
    assert keys(at).isdisjoint({"retry_last", "edit_last", "clear", "stop"})
    assert "Chat settings" not in {each.label for each in at.expander}
    session_page = opened_by(BERT, "pages/sessions.py", sessions_tab=tabs.OPEN)
    assert "2 messages in 1 turn" in words(session_page)
    assert keys(session_page).isdisjoint({"pin_session", "delete_session"})
    at.button(key="fork_shared").click().run()
    fork = at.query_params["session"]
    assert [message.text for message in visitors.store.load(fork)] == ["A secret", "It is safe."]
    assert visitors.store.about(fork).owner == BERT
    assert not at.chat_input[0].disabled


def test_the_owner_shares_and_takes_it_back(visitors: ChatService) -> None:
    state = {session.PASSING_OWNER: ANNA, "sharing_panel": True}
    at = page(state=state)
    radio = next(each for each in at.radio if each.label == "Who may open this chat")
    radio.set_value("write").run()
    assert visitors.store.about(SESSION).share == "write"
    assert f"session={SESSION}" in "".join(each.value for each in at.code)
    next(each for each in at.radio if each.label == "Who may open this chat").set_value("").run()
    assert visitors.store.about(SESSION).share == ""


def test_what_is_begun_belongs_to_whoever_begins_it(visitors: ChatService) -> None:
    at = page(session_id="", state={session.PASSING_OWNER: BERT})
    at.button(key="open_example").click().run()
    example = at.query_params["session"]
    assert visitors.store.about(example).owner == BERT
    assert {row.owner for row in visitors.store.find(SessionQuery()).rows} == {ANNA, BERT}


def test_an_admin_lists_everybodys_chats_or_only_their_own(
    visitors: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "asking", partial(Person, "accounts", "account-boss", "Boss", sees_all=True))

    def titles(**parameters: str) -> list[str]:
        page = opened_by("", "pages/sessions.py", **parameters)
        return [row.label for row in page.main.button if (row.key or "").startswith("show:")]

    assert any("A secret" in title for title in titles())
    assert not any("A secret" in title for title in titles(only=filters.YOURS))


def test_replays_and_recordings_are_ones_own(visitors: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for owner in (ANNA, BERT):
        monkeypatch.setattr(services, "asking", partial(Person, "visitors", owner))
        assert services.recorded() is services.recorder().entries_of(owner)
        found[owner] = services.replays()
        assert services.replays() is found[owner]
    assert found[ANNA] is not found[BERT]


def test_visitors_cannot_switch_the_recorder(visitors: ChatService) -> None:
    at = opened_by(BERT, "pages/record.py")
    assert at.toggle[0].disabled
    assert "X-Windowseat-Person" in at.code[0].value


def test_one_person_is_told_that_all_is_theirs(chat: ChatService) -> None:
    exchange(chat, "Hello", "Hi!")
    at = page()
    assert "All chats here are yours" in words(at)
    assert "Share" not in words(at)
    assert chat.store.about(SESSION).owner == ""


@pytest.mark.parametrize("path", PATHS)
def test_nobody_sees_a_page_before_logging_in(chat: ChatService, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    exchange(chat, "A secret", "It is safe.")
    monkeypatch.setattr(services, "asking", lambda: Person("accounts"))
    at = page(path)
    assert not at.exception
    assert [each.value for each in at.subheader] == ["Log in to see your chats"]
    assert not at.chat_input
    assert keys(at) == {"log_in:"}
    assert "secret" not in words(at)


def test_accounts_without_a_login_are_refused_in_words(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDOWSEAT_PEOPLE", "accounts")
    st.cache_resource.clear()
    at = page()
    assert not at.exception
    assert "no [auth] table" in at.error[0].value.replace("\\", "")


def test_a_class_pack_comes_in_for_everyone_who_imports_it(visitors: ChatService) -> None:
    sample = Path("tests/data/transfer/chatgpt_conversations.json")
    ids = set()
    for owner in (ANNA, BERT, BERT):
        at = opened_by(owner, "pages/sessions.py", session_id=f"chat-of-{owner}", sessions_tab=tabs.IMPORT)
        at.file_uploader[0].set_value((sample.name, sample.read_bytes(), "application/json")).run()
        at.button(key="import_button").click().run()
        assert not at.error
        ids |= {key for key in keys(at) if key.startswith("import_open:")}
    assert len(ids) == 4, "two chats for each, and no doubles the second time"
