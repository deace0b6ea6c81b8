"""Interrupts real conversations in a real browser in every way that tends to lose messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.app.app_process import App
from tests.support.app.browser import OpenTab
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist, choose_typist
from tests.support.waiting import wait_until


def whole_exchange(typist: Typist, prompt: str) -> list[dict[str, str]]:
    """The stored messages after the typist has answered this prompt completely."""
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": typist.text()}]


def test_a_refresh_while_a_reply_streams_loses_nothing(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("word5")
    tab.page.reload()
    tab.sees("word5")
    tab.sees("word40")
    wait_until(lambda: server.stored(session_on_typist) == whole_exchange(typist, "hello"), "the exchange is stored")
    assert len(typist.requests) == 1


def test_closing_the_tab_while_a_reply_streams_loses_nothing(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("word5")
    tab.page.close()
    wait_until(lambda: server.stored(session_on_typist) == whole_exchange(typist, "hello"), "the exchange is stored")
    again = open_tab(app, session_on_typist)
    again.sees("word40")
    assert len(typist.requests) == 1


def test_switching_the_page_while_a_reply_streams_loses_nothing(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("word5")
    tab.page.get_by_role("link", name="Context window").first.click()
    tab.sees("Nothing was sent yet")
    tab.page.get_by_role("link", name="Chat").first.click()
    tab.sees("word40")
    wait_until(lambda: server.stored(session_on_typist) == whole_exchange(typist, "hello"), "the exchange is stored")
    assert tab.session_id == session_on_typist


def test_of_two_tabs_that_send_at_once_one_is_answered_and_the_other_keeps_its_text(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    one, two = open_tab(app, session_on_typist), open_tab(app, session_on_typist)
    one.box.fill("from one")
    two.box.fill("from two")
    one.box.press("Enter")
    two.box.press("Enter")
    wait_until(lambda: typist.requests, "a request went out")
    sent = typist.requests[0]["messages"][-1]["content"]
    loser, refused = (two, "from two") if sent == "from one" else (one, "from one")
    loser.sees("being answered")
    expect(loser.box).to_have_value(refused)
    loser.sees("word40")  # the refused tab follows the other one's reply
    wait_until(lambda: server.stored(session_on_typist) == whole_exchange(typist, sent), "one exchange is stored")
    expect(loser.box).to_have_value(refused)
    loser.settled()
    loser.box.press("Enter")
    wait_until(lambda: len(server.stored(session_on_typist)) == 4, "the second exchange is stored too")
    assert [m["content"] for m in server.stored(session_on_typist)][2] == refused


def test_a_second_message_while_a_reply_streams_stays_in_the_box(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist)
    tab.send("first")
    tab.sees("word5")
    tab.send("second")
    expect(tab.box).to_have_value("second")
    tab.sees("word40")
    wait_until(lambda: server.stored(session_on_typist) == whole_exchange(typist, "first"), "the first is stored")
    expect(tab.box).to_have_value("second")


def test_stopping_keeps_the_partial_reply(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.words = 300
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("word8")
    tab.stop_reply()
    tab.sees("stopped")
    stored = wait_until(lambda: server.stored(session_on_typist), "the partial reply is stored")
    assert stored[0] == {"role": "user", "content": "hello"}
    assert stored[1]["content"].startswith("word1 word2 word3 word4 word5 word6 word7 word8 ")
    assert "word300" not in stored[1]["content"]
    wait_until(lambda: typist.cut_off == 1, "the connection to the provider is closed")
    tab.page.reload()
    tab.sees("word8")


def test_streamlits_own_stop_button_does_not_stop_the_reply(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("word5")
    header_stop = tab.page.get_by_test_id("stStatusWidget").get_by_role("button", name="Stop")
    header_stop.click()
    tab.sees("word30")  # the tab follows the reply again by itself
    wait_until(lambda: server.stored(session_on_typist) == whole_exchange(typist, "hello"), "the exchange is stored")
    tab.sees("first word")


def test_a_chat_cleared_while_a_reply_streams_stays_cleared(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("word5")
    tab.click("Clear this chat")
    tab.click("Delete them")
    tab.sees("See what a language model is sent")
    wait_until(lambda: typist.cut_off == 1, "the connection to the provider is closed")
    assert server.stored(session_on_typist) == []
    assert server.live(session_on_typist) is None
    tab.page.reload()
    tab.sees("See what a language model is sent")


@pytest.mark.own_app
def test_after_the_app_is_killed_the_prompt_and_the_partial_reply_come_back(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.words = 300
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("word12")
    wait_until(lambda: "word8 " in (server.live(session_on_typist) or {"text": ""})["text"], "a heartbeat was written")
    app.kill()
    app.start()
    tab = open_tab(app, session_on_typist)
    tab.sees("hello")
    tab.sees("word8")  # at most one heartbeat of half a second is lost
    tab.sees("was interrupted")
    assert server.stored(session_on_typist) == []  # opening the page decides nothing
    tab.click("Keep partial reply")
    stored = wait_until(lambda: server.stored(session_on_typist), "the partial reply is stored")
    assert stored[0] == {"role": "user", "content": "hello"}
    assert stored[1]["content"].startswith("word1 word2 word3 word4 word5 word6 word7 word8 ")


@pytest.mark.own_app
def test_after_the_app_is_killed_the_message_can_be_retried(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("word5")
    app.kill()
    app.start()
    tab = open_tab(app, session_on_typist)
    tab.sees("was interrupted")
    tab.button("Retry").click()
    wait_until(lambda: server.stored(session_on_typist) == whole_exchange(typist, "hello"), "the exchange is stored")


@pytest.mark.own_app
def test_after_sigterm_the_prompt_and_the_partial_reply_come_back(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.words = 300
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("word12")
    app.stop()
    app.start()
    tab = open_tab(app, session_on_typist)
    tab.sees("hello")
    tab.sees("word8")
    tab.sees("was interrupted")


@pytest.mark.own_app
def test_a_restart_of_redis_while_a_reply_streams_loses_nothing(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist)
    tab.send("hello")
    tab.sees("word5")
    server.stop()
    tab.sees("word30")  # the reply goes on in memory
    server.start()
    wait_until(lambda: server.stored(session_on_typist) == whole_exchange(typist, "hello"), "the exchange is stored")
    tab.sees("first word")


@pytest.mark.own_app
def test_without_redis_the_page_says_so_keeps_the_text_and_later_recovers_by_itself(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist)
    tab.settled()
    server.stop()
    tab.box.fill("do not lose me")
    tab.box.press("Enter")
    tab.sees("history store")
    expect(tab.box).to_have_value("do not lose me")
    server.start()
    expect(tab.page.get_by_text("history store")).to_have_count(0)
    expect(tab.box).to_have_value("do not lose me")
    tab.box.press("Enter")
    wait_until(lambda: server.stored(session_on_typist), "the exchange is stored")


def test_another_app_on_the_same_store_can_follow_and_stop_the_reply(
    app: App,
    server: RedisServer,
    typist: Typist,
    open_tab: OpenTab,
    session_on_typist: str,
    folder: Path,
    app_env: dict[str, str],
) -> None:
    typist.words = 300
    with App(folder / "data2", app_env) as other:
        tab = open_tab(app, session_on_typist)
        watching = open_tab(other, session_on_typist)
        tab.send("hello")
        watching.sees("word8")
        watching.stop_reply()
        stored = wait_until(lambda: server.stored(session_on_typist), "the partial reply is stored")
        assert stored[1]["content"].startswith("word1 word2 word3")
        watching.sees("stopped")
        tab.sees("stopped")


def test_a_provider_error_keeps_the_message_for_retry_edit_or_discard(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.seconds_per_word = 0.01
    typist.error = (401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, {})
    tab = open_tab(app, session_on_typist)
    tab.send("precious words")
    tab.sees("Discard")
    tab.sees("precious words")
    assert server.stored(session_on_typist) == []
    tab.click("Edit")
    expect(tab.box).to_have_value("precious words")
    typist.error = None
    tab.settled()
    tab.send("precious words, edited")
    wait_until(
        lambda: server.stored(session_on_typist) == whole_exchange(typist, "precious words, edited"), "it is stored"
    )


def test_a_request_that_does_not_fit_is_sent_only_if_the_person_insists(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.seconds_per_word = 0.01
    choose_typist(server, session_on_typist, max_tokens=64, reserved_for_reply=32)
    tab = open_tab(app, session_on_typist)
    tab.send("far too long " * 40)
    tab.sees("It was not sent")
    assert typist.requests == []
    tab.click("Send it anyway")
    wait_until(lambda: len(server.stored(session_on_typist)) == 2, "the exchange is stored")
