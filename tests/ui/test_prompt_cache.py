"""Why a cache missed, on the pages: the setting, what it sends, the three lines, and turning it off when refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.chat.service import ChatService
from lib.ui.context_window import tabs
from lib.ui.shell import session_settings
from tests.support.app.pages import SESSION, page, settings
from tests.support.servers.claude_server import ClaudeServer
from tests.support.waiting import wait_until

SETTING = f"{SESSION}:cache_diagnostics"


@pytest.fixture
def claude(monkeypatch: pytest.MonkeyPatch) -> Iterator[ClaudeServer]:
    """A server of Anthropic's protocol. It must be there before the app's parts are made."""
    with ClaudeServer() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret-in-tests")
        yield server


def choose_claude(chat: ChatService) -> None:
    chat.store.save_settings(SESSION, settings(provider="anthropic", model="claude-sonnet-5").to_dict())


def say(chat: ChatService, *prompts: str) -> None:
    at = page()
    for prompt in prompts:
        before = len(chat.store.turns(SESSION))
        at.chat_input(key="prompt").set_value(prompt).run()
        wait_until(lambda: len(chat.store.turns(SESSION)) > before)  # noqa: B023 - called before the loop goes on


def box(turn: int) -> str:
    at = page("pages/context_window.py", state={"context_window_tab": tabs.CHANGED}, turn=str(turn))
    assert not at.exception, at.exception
    return next(caption.value for caption in at.caption if "**Our reading:**" in caption.value)


def test_the_three_lines_stand_side_by_side_and_nothing_is_asked_before_it_is_on(
    claude: ClaudeServer, chat: ChatService
) -> None:
    choose_claude(chat)
    say(chat, "hello")
    assert "diagnostics" not in claude.bodies[0]
    at = page()
    assert not at.checkbox(key=SETTING).value
    at.checkbox(key=SETTING).check().run()
    assert not at.exception, at.exception
    say(chat, "again")
    changed = session_settings.restored(chat.store.about(SESSION).settings)
    assert changed.cache_diagnostics
    page().text_area(key=f"{SESSION}:system_prompt").set_value("Be long.").run()
    say(chat, "once more")
    first = chat.store.turns(SESSION)[1].reply_id
    assert [body.get("diagnostics") for body in claude.bodies] == [
        None,
        {"previous_message_id": None},
        {"previous_message_id": first},
    ]
    assert "The provider says" not in box(1)
    assert "**The provider says:** It was asked to remember this request" in box(2)
    heading, *rest = box(3).split("  \n")
    lines = dict(line.split(":** ", 1) for line in rest)
    assert heading.endswith("**Prompt cache**")
    assert list(lines) == ["**Our reading", "**Reported", "**The provider says"]
    assert lines["**Our reading"].startswith("The system prompt changed, so a cache could reuse nothing")
    assert lines["**Reported"].startswith("2 of ")
    missed = chat.store.turns(SESSION)[2].cache_diagnosis["cache_miss_reason"]["cache_missed_input_tokens"]
    assert lines["**The provider says"] == (
        f"“system&#95;changed”: the system prompt differs. About {missed} tokens missed. That agrees with our reading."
    )


def test_a_provider_without_the_field_is_named_under_the_setting(chat: ChatService) -> None:
    at = page()
    at.checkbox(key=SETTING).check().run()
    assert any("Not sent to OpenAI: its protocol has no field for this." in each.value for each in at.caption)
    say(chat, "hello")
    assert "prompt_cache_options" not in chat.store.turns(SESSION)[0].request
    assert "diagnostics" not in chat.store.turns(SESSION)[0].request


def test_a_server_that_refuses_it_is_sent_the_message_without_it_in_one_click(
    claude: ClaudeServer, chat: ChatService
) -> None:
    choose_claude(chat)
    claude.refuses_diagnostics = True
    page().checkbox(key=SETTING).check().run()
    page().chat_input(key="prompt").set_value("hello").run()
    wait_until(lambda: (live := chat.live(SESSION)) is not None and live.interrupted)
    at = page()
    assert any("refused the cache diagnostics" in each.value for each in at.warning)
    assert at.button(key="turn_off").label == "Turn cache diagnostics off, then send"
    at.button(key="turn_off").click().run()
    wait_until(lambda: bool(chat.store.turns(SESSION)))
    assert "diagnostics" not in claude.bodies[-1]
    assert not session_settings.restored(chat.store.about(SESSION).settings).cache_diagnostics
