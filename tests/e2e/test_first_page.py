"""What the first page offers, in a browser: the example with one click, and the demonstration that plays by itself."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lib.providers.llama.process import INSTALL, packaged_model
from tests.support.app.app_process import App
from tests.support.app.browser import OpenTab
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until


@pytest.mark.parametrize("width", [390, 1440])
def test_the_example_opens_and_every_page_has_something_to_show(
    app: App, server: RedisServer, open_tab: OpenTab, session_on_typist: str, width: int
) -> None:
    tab = open_tab(app, session_on_typist, width=width)
    tab.click("Open an example")
    tab.sees("Boa viagem")
    assert len(server.stored(tab.session_id)) == 80
    for path, text in (
        ("/tokens", "Nothing was paid"),
        ("/context_window", "42 of 79 messages were not sent"),
        ("/trim_lab", "80 messages"),
        ("/threads", "Run the first 20 messages of this chat"),
    ):
        tab.open(tab.session_id, path)
        tab.sees(text)
        tab.sees("written by hand; no model was asked")
        tab.settled()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_demonstration_can_be_paused_survives_a_refresh_and_goes_on(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    typist.words, typist.seconds_per_word = 12, 0.0
    typist.first_word_gate = threading.Event()
    tab = open_tab(app, session_on_typist)
    tab.click("Watch it forget")
    wait_until(lambda: len(typist.requests) == 1, "the first prompt")
    tab.click("Pause")
    expect(tab.button("Go on")).to_be_visible()
    typist.first_word_gate.set()
    expect(tab.page.locator(".st-key-last_actions")).to_be_visible()  # the turn is done
    tab.page.reload()
    expect(tab.button("Go on")).to_be_visible()
    assert len(typist.requests) == 1
    tab.click("Go on")
    tab.sees("was dropped at turn")
    tab.sees("No longer sent: dropped at turn")
    tab.page.get_by_role("link", name="was sent").click()
    tab.sees("messages were not sent")
    assert "7421" not in str(typist.requests[-1])


@pytest.mark.model
@pytest.mark.skipif(packaged_model() is None, reason=f"needs the model file: {INSTALL}")
def test_with_no_key_a_new_person_can_watch_the_model_forget(folder: Path, open_tab: OpenTab) -> None:
    with App(folder / "data") as app:
        tab = open_tab(app)
        tab.click("Watch it forget")
        tab.sees("At turn 2 it was sent, and the model knew the code.", timeout=120_000)
        tab.sees("All messages are still stored.", timeout=120_000)
        expect(tab.messages().nth(3)).to_contain_text("7421")
        expect(tab.messages().last).not_to_contain_text("7421")
    assert "Traceback" not in app.log.read_text()
