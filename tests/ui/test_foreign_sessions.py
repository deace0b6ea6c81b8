"""Conversations of other libraries on every page: they are shown, named, and left as they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.errors import ForeignSession
from lib.history.foreign import READ_ONLY, foreign_id
from lib.history.foreign.sessions import ForeignPage
from lib.history.sessions import SessionRow
from lib.ui.sessions import foreign_list
from lib.ui.shell import menu, services, session
from tests.support.app.pages import page
from tests.support.cases import foreign_keys as keys
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist

AGENTS = foreign_id("openai-agents", keys.AGENTS)
LIST = """
from lib.ui.sessions import foreign_list
from lib.ui.shell.page import Page

foreign_list.draw(Page("{session_id}"))
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, typist: Typist) -> Iterator[RedisServer]:
    """A Redis to which other libraries have written, under the app."""
    running = RedisServer().start()
    with running.client() as client:
        keys.write(client)
    for name, value in {
        "REDIS_URL": running.url,
        "WINDOWSEAT_READ_PREFIXES": "conv",
        "OPENAI_BASE_URL": typist.url,
        "OPENAI_API_KEY": "sk-secret-in-tests",
        "OPENAI_MODEL": "typist-1",
    }.items():
        monkeypatch.setenv(name, value)
    st.cache_resource.clear()
    yield running
    services.close()
    st.cache_resource.clear()
    running.close()


@pytest.fixture
def draw_list(tmp_path: Path) -> Iterator[AppTest]:
    """The list on a page of its own."""
    script = tmp_path / "app.py"
    (tmp_path / "pages").mkdir()  # as the app has it, so that links between pages are found
    script.write_text(LIST.format(session_id=AGENTS))
    yield AppTest.from_file(script, default_timeout=20)
    shutil.rmtree(tmp_path)


def captions(at: AppTest) -> list[str]:
    return [caption.value for caption in at.caption]


@pytest.mark.parametrize("path", [entry.path for entry in menu.MENU.values()])
def test_every_page_shows_one_and_changes_no_value_and_no_deadline(server: RedisServer, path: str) -> None:
    before = server.everything()
    at = page(path, AGENTS)
    assert not at.exception
    assert not at.error
    frame = next(line for line in captions(at) if line.startswith("**"))
    assert frame.startswith("**user&#45;42** · :material/visibility: openai-agents, read-only · ")
    assert server.everything() == before


def test_nothing_can_be_typed_and_the_page_says_why(server: RedisServer) -> None:
    at = page(session_id=AGENTS)
    assert at.chat_input[0].disabled
    assert f":material/visibility: {READ_ONLY}" in captions(at)
    assert [message.name for message in at.chat_message] == ["user", "assistant", "tool", "assistant"]
    offered = {button.key for button in at.button}
    assert not offered & {"retry_last", "edit_last", "clear"}


def test_a_fork_is_a_chat_that_can_be_gone_on_with(server: RedisServer) -> None:
    before = server.everything()
    at = page(session_id=AGENTS)
    at.button(key="fork_foreign").click().run()
    fork = at.session_state[session.SESSION_ID]
    assert fork != AGENTS
    assert not at.chat_input[0].disabled
    stored = server.stored(fork)
    assert [message["role"] for message in stored] == ["user", "assistant", "tool", "assistant"]
    assert stored[1]["tool_calls"][0]["function"]["name"] == "weather"
    after = server.everything()
    assert {key: after[key] for key in before} == before


def test_settings_tried_on_one_are_those_of_the_next_chat(server: RedisServer) -> None:
    before = server.everything()
    at = page(session_id=AGENTS)
    window = next(field for field in at.number_input if field.key and field.key.endswith(":max_tokens"))
    window.set_value(4_096).run()
    assert not at.exception
    assert any("window 4,096 tokens" in line for line in captions(at))
    assert server.everything() == before


def test_one_that_is_gone_is_not_drawn_as_a_new_chat(server: RedisServer) -> None:
    at = page(session_id=foreign_id("json", b"conv:nobody"))
    assert "is not on the server" in at.warning[0].value
    assert at.chat_input[0].disabled
    assert not [button for button in at.button if button.key and button.key.startswith("starter:")]


def test_sending_to_one_by_another_way_is_refused_in_words(server: RedisServer) -> None:
    with pytest.raises(ForeignSession, match="belongs to another library"):
        services.chat().store.save_settings(AGENTS, {})


def test_the_list_names_them_with_their_library_and_writes_nothing(server: RedisServer, draw_list: AppTest) -> None:
    before = server.everything()
    at = draw_list.run()
    assert not at.exception
    assert at.markdown[0].value.startswith("**4 conversations** of other libraries, found among 8 keys.")
    assert sum("openai-agents · 4 items" in line for line in captions(at)) == 1
    assert sum("RedisVL · 2 messages" in line for line in captions(at)) == 1
    at.text_input(key="foreign_text").set_value("redisvl").run()
    assert at.markdown[0].value.startswith("**1 conversation** of other libraries with this name")
    assert server.everything() == before


def test_an_empty_list_says_what_is_looked_for(server: RedisServer, draw_list: AppTest) -> None:
    with server.client() as client:
        client.flushall()
    at = draw_list.run()
    assert "**No conversation** of another library was found among 0 keys." in at.markdown[0].value
    assert "WINDOWSEAT_READ_PREFIXES" in at.markdown[1].value


def test_a_store_in_memory_has_none(monkeypatch: pytest.MonkeyPatch, draw_list: AppTest) -> None:
    monkeypatch.setenv("WINDOWSEAT_STORE", "memory")
    st.cache_resource.clear()
    assert "REDIS_URL" in draw_list.run().info[0].value
    st.cache_resource.clear()


def test_the_list_says_what_is_missing() -> None:
    found = ForeignPage((), None, 3, 1_000_000, False, {})
    assert "There are more keys, which were not looked at." in foreign_list.sentence(found, "")
    row = SessionRow("ext.json.YQ", size=20, format="JSON array")
    assert foreign_list.facts(row, is_unread=True) == "JSON array · does not expire · 20 bytes"


def test_a_chat_of_another_service_is_listed_and_opens_as_a_chat(server: RedisServer, draw_list: AppTest) -> None:
    with server.client() as client:
        client.set("chat:support-7", '[{"role": "user", "content": "Where is my order?"}]')
    before = server.everything()
    at = draw_list.run()
    assert not at.exception
    assert any(each.value.startswith("**1 chat of another service** is on this Redis.") for each in at.markdown)
    assert sum("chat:support-7` · 1 message" in line for line in captions(at)) == 1
    assert server.everything() == before
    assert not page(session_id="support-7").chat_input[0].disabled
