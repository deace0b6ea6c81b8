"""The page "Record your app", and a recorded request on the context-window page: what they say, and that looking writes
nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.recorder.tape import Tape
from lib.ui.context_window.tabs import CHANGED, SENT
from lib.ui.record import code, recorded, state
from lib.ui.shell import services, session
from tests.support.app.pages import page
from tests.support.servers.upstream import completion
from tests.support.waiting import wait_until

PATH, WINDOW = "pages/record.py", "pages/context_window.py"


def record(*messages: dict[str, Any], reply: str | None = "ok", **usage: Any) -> str:
    """Record one request as the relay would, and return its session."""
    recorder = services.recorder()
    data = json.dumps({"model": "typist-1", "messages": messages}, separators=(",", ":")).encode()
    tape = Tape("/v1/chat/completions", "http://127.0.0.1/v1/chat/completions", services.endpoint("openai"), data)
    recorder.start(tape)
    tape.began(200 if reply else 429, {"content-type": "application/json"})
    counts = {"prompt_tokens": 30, "completion_tokens": 2, **usage}
    tape.piece(json.dumps(completion(reply, counts) if reply else {"error": {"message": "slow *down*"}}).encode())
    tape.ended("complete")
    store = services.chat().store

    def entry() -> Any:
        return next(each for each in recorder.entries.newest(store) if each.id == tape.id)

    wait_until(lambda: entry().state == "recorded", "the record")
    return str(entry().session_id)


def says(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def texts(at: AppTest) -> str:
    assert not at.exception, at.exception
    return "\n".join(each.value for each in (*at.markdown, *at.caption, *at.info, *at.warning, *at.error, *at.code))


def test_nothing_recorded_yet(chat: ChatService) -> None:
    at = page(PATH)
    assert recorded.EMPTY in texts(at)
    assert not at.toggle(key=state.ON).value
    assert 'base_url="http://' in texts(at)


def test_the_switch_and_the_targets_hold_for_the_process(chat: ChatService) -> None:
    at = page(PATH)
    at.toggle(key=state.ON).set_value(True).run()
    assert services.recorder().on
    at.selectbox(key="record_to:openai").select("openai").run()
    assert services.recorder().target("openai", services.offered_endpoints()).name == "openai"
    other_tab = page(PATH)
    assert other_tab.toggle(key=state.ON).value
    assert other_tab.selectbox(key="record_to:openai").value == "openai"
    assert [each.value for each in other_tab.selectbox if each.key == "record_to:anthropic"] == ["local"]


def test_the_setting_turns_it_on_at_the_start(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDOWSEAT_RECORD", "1")
    monkeypatch.setenv("WINDOWSEAT_RECORD_TO", "openai, anthropic")
    services.settings.clear()
    assert services.recorder().on
    assert services.recorder().targets == {"openai": "openai", "anthropic": "anthropic"}


def test_a_token_is_named_and_never_shown(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDOWSEAT_API_TOKEN", "a-token-of-this-installation")
    services.settings.clear()
    shown = texts(page(PATH))
    assert 'os.environ["WINDOWSEAT_API_TOKEN"]' in shown
    assert "a-token-of-this-installation" not in shown
    assert code.address().startswith("http://127.0.0.1")


def test_what_was_recorded_stands_newest_first(chat: ChatService) -> None:
    record(says("user", "first"))
    record(says("user", "second"), reply=None)
    shown = texts(page(PATH))
    assert "1 message sent · 30 in, 2 out (billed)" in shown
    assert "status 429" in shown
    assert r"slow *down*" in shown
    assert shown.index("status 429") < shown.index("30 in")


def test_a_recorded_request_reads_like_one_made_here(chat: ChatService) -> None:
    talk = [says("system", "Be brief."), says("user", "one"), says("assistant", "ok"), says("user", "two")]
    record(*talk[:2])
    session_id = record(*talk)
    newest = [says("assistant", "ok"), says("user", "three")]
    record(talk[0], says("user", "two"), *newest, prompt_tokens_details={"cached_tokens": 0})
    services.recorder().on = True
    before = chat.store.raw(session_id), chat.store.turns(session_id)
    at = page(WINDOW, session_id, {session.CONTEXT_WINDOW_TAB: SENT, "app_lint": True, "sent:request": True})
    shown = texts(at)
    assert "**2 of 5 messages were not sent,**" in shown
    assert "dropped by your app" in shown
    assert "matches what was sent" in shown
    assert "Your app sent it through the recorder to" in shown
    assert '"content": "three"' in shown
    assert "Roles, tool calls, instructions and sizes are as this provider requires." in shown
    changed = texts(page(WINDOW, session_id, {session.CONTEXT_WINDOW_TAB: CHANGED}))
    assert "**From turn 2 to turn 3:** 2 messages added, 2 dropped, 1 kept." in changed
    assert "**Reported:** 0 of " in changed
    assert "tokens came from the cache (billed), less than could be." in changed
    assert (chat.store.raw(session_id), chat.store.turns(session_id)) == before
    for path in ("app.py", "pages/tokens.py", "pages/trim_lab.py"):
        assert not page(path, session_id).exception


def test_a_broken_rule_a_changed_message_and_a_silent_cut_are_said(chat: ChatService) -> None:
    long = "word " * 400
    record(says("user", long), prompt_tokens=410)
    session_id = record(
        says("user", "[cut]"),
        says("assistant", "ok"),
        {"role": "tool", "tool_call_id": "c9", "content": long},
        says("user", "two"),
        prompt_tokens=100,
    )
    shown = texts(page(WINDOW, session_id, {session.CONTEXT_WINDOW_TAB: SENT}))
    assert "No tool result without its call" in shown
    assert "Your app sent 1 message (1) with other words than before" in shown
    assert "The server seems to have cut this request without saying so" in shown
