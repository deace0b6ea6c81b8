"""A new person's first minute with the app, and every way to open it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lib.providers.llama.process import INSTALL, packaged_model
from tests.support.app.app_process import App
from tests.support.app.browser import LAYOUT_SHIFT, OpenTab
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until

needs_model = pytest.mark.skipif(packaged_model() is None, reason=f"needs the model file: {INSTALL}")


@pytest.mark.model
@needs_model
def test_with_no_key_and_no_server_a_new_person_has_a_conversation(folder: Path, open_tab: OpenTab) -> None:
    with App(folder / "data") as app:
        tab = open_tab(app)
        tab.sees("See what a language model is sent")
        tab.click("Give it a secret code")
        tab.click("Now ask: What is the code of the safe?")
        expect(tab.messages()).to_have_count(4)
        expect(tab.messages().nth(3)).to_contain_text("4711")
        tab.sees("3 of 3 messages sent")
        tab.page.reload()  # the app's own Redis has the conversation
        expect(tab.messages()).to_have_count(4)
    assert "Traceback" not in app.log.read_text()
    with App(folder / "data") as again:  # a restarted app has it too
        tab = open_tab(again, tab.session_id)
        expect(tab.messages()).to_have_count(4)


@pytest.mark.model
@needs_model
def test_the_page_says_why_a_model_with_a_small_window_forgets(folder: Path, open_tab: OpenTab) -> None:
    with App(folder / "data") as app:
        tab = open_tab(app)
        tab.click("Give it a secret code")
        tab.sees("1 of 1 message sent")
        tab.page.get_by_text("Chat settings").click()
        for name, value in (("Context window (tokens)", "96"), ("Reserved for the reply (tokens)", "40")):
            field = tab.page.get_by_role("spinbutton", name=name)
            field.fill(value)
            field.press("Enter")
            tab.settled()
        tab.send("What is the capital of Japan?")
        why = tab.page.get_by_role("link", name="Why did it answer this?")
        expect(why).to_have_count(2)
        tab.sees("messages will be dropped")
        why.last.click()
        tab.sees("not sent,")
        tab.sees("matches what was sent")


@pytest.mark.parametrize(
    ("path", "text"), [("/", "See what a language model is sent"), ("/context_window", "Nothing was sent yet")]
)
def test_a_first_deep_link_to_a_fresh_server_works_and_keeps_the_session(
    folder: Path, open_tab: OpenTab, path: str, text: str
) -> None:
    with App(folder / "data") as app:
        tab = open_tab(app, "my-session", path)
        tab.sees(text)
        assert tab.session_id == "my-session"
        for name in ("Context window", "Chat"):
            tab.page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
            tab.page.wait_for_url("**session=my-session**")
        tab.sees("See what a language model is sent")
    assert "Traceback" not in app.log.read_text()


def test_refresh_back_and_forward_keep_the_conversation(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.words = 3
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("1 of 1 message sent")
    tab.page.get_by_role("link", name="Why did it answer this?").click()
    tab.sees("Everything was sent")
    tab.page.reload()
    tab.sees("Everything was sent")
    tab.page.go_back()
    tab.sees("word3")
    tab.page.go_forward()
    tab.sees("Everything was sent")
    assert tab.session_id == session_on_typist


def test_a_session_can_be_left_and_opened_again(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.words = 3
    tab = open_tab(app, session_on_typist)
    tab.send("the first conversation")
    tab.sees("1 of 1 message sent")
    tab.click("New chat")
    tab.sees("See what a language model is sent")
    assert tab.session_id != session_on_typist
    tab.click("the first conversation")
    tab.sees("word3")
    assert tab.session_id == session_on_typist


def test_killing_the_apps_own_redis_loses_nothing(folder: Path, typist: Typist, open_tab: OpenTab) -> None:
    env = {"OPENAI_BASE_URL": typist.url, "OPENAI_API_KEY": "sk-test"}
    with App(folder / "data", env) as app:
        tab = open_tab(app)
        tab.page.get_by_text("Chat settings").click()
        tab.page.get_by_role("combobox", name="Provider").click()
        tab.page.get_by_role("option", name="OpenAI").click()
        tab.settled()
        tab.send("hello")
        tab.sees("word5")
        for pid in server_pids(folder / "data"):
            os.kill(pid, signal.SIGKILL)
        tab.sees("1 of 1 message sent")
        tab.page.reload()
        tab.sees("word40")
    assert server_pids(folder / "data") == []  # the last app to stop also stops its Redis
    assert "Traceback" not in app.log.read_text()


def server_pids(data_dir: Path) -> list[int]:
    """Process ids of the Redis servers that keep their files in this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(data_dir).encode() in command and b"redis" in command:
                found.append(int(entry.name))
    return found


def test_text_is_shown_as_it_was_typed(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.words = 2
    typed = "<script>document.title='hacked'</script> <b>bold</b> costs $5 and $6 :red[x] :smile: a   b"
    tab = open_tab(app, session_on_typist)
    tab.send(typed)
    tab.sees("1 of 1 message sent")
    shown = tab.messages().nth(0).inner_text().replace("\u00a0", " ")
    assert typed in shown
    assert tab.page.title() != "hacked"
    assert server.stored(session_on_typist)[0]["content"] == typed
    assert typist.requests[0]["messages"][-1]["content"] == typed


def test_a_conversation_of_another_service_is_shown_and_continued(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.words = 2
    theirs = [{"role": "user", "content": "theirs"}, {"role": "assistant", "content": "a cut emoji \ud83d"}]
    with server.client() as client:
        client.set(f"chat:{session_on_typist}", json.dumps(theirs), ex=86_400)
    tab = open_tab(app, session_on_typist)
    tab.sees("theirs")
    tab.send("ours")
    wait_until(lambda: len(server.stored(session_on_typist)) == 4, "the exchange is appended")
    assert server.stored(session_on_typist)[:2] == theirs


def test_an_unreadable_value_is_shown_as_it_is_and_left_alone(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    value = b'{"not": "an array", "html": "<b>x</b>"}'
    with server.client() as client:
        client.set(f"chat:{session_on_typist}", value)
        tab = open_tab(app, session_on_typist)
        tab.sees('"not"')
        tab.sees("left exactly as it is")
        tab.send("hello")
        expect(tab.box).to_have_value("hello")
        tab.open(session_on_typist, "/context_window")
        tab.sees('"not"')
        assert client.get(f"chat:{session_on_typist}") == value


@pytest.mark.parametrize("path", ["/", "/context_window"])
def test_the_page_fits_a_phone(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str, path: str
) -> None:
    typist.words = 40
    typist.seconds_per_word = 0.0
    tab = open_tab(app, session_on_typist, width=390)
    tab.send("a word " * 30)
    tab.sees("1 of 1 message sent")
    tab.open(session_on_typist, path)
    if path == "/":
        expect(tab.messages()).to_have_count(2)
    else:
        tab.sees("Everything was sent")
    tab.settled()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_opening_pages_writes_nothing(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.words = 3
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("1 of 1 message sent")
    tab.page.close()
    before = server.everything()
    for path, text in (("/", "word3"), ("/context_window", "Everything was sent")):
        tab = open_tab(app, session_on_typist, path)
        tab.sees(text)
        tab.settled()
        if path == "/":
            wait_for_a_look(server)
        tab.page.close()
    assert server.everything() == before


def wait_for_a_look(server: RedisServer) -> None:
    """Wait until the open chat page has asked the store for news, which it does every two seconds."""
    before = server.commands()
    wait_until(lambda: server.commands() > before, "the page to look at the store again")


def test_nothing_jumps_while_a_reply_streams(app: App, open_tab: OpenTab, session_on_typist: str) -> None:
    tab = open_tab(app, session_on_typist)
    tab.send("one")
    tab.sees("1 of 1 message sent")
    tab.settled()
    tab.page.evaluate(LAYOUT_SHIFT)
    tab.page.evaluate("window.layoutShift = 0")
    tab.send("two")
    tab.sees("3 of 3 messages sent")
    tab.settled()
    assert tab.page.evaluate("window.layoutShift") < 0.05  # 0.011 on an idle machine; 0.1 counts as good on the web
