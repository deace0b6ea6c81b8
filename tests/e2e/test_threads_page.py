"""The page of who keeps the history in a real browser, without a key: the small model answers behind the replica."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lib.providers.llama.process import INSTALL, packaged_model
from lib.ui.threads import state
from tests.support.app.app_process import App
from tests.support.app.browser import OpenTab
from tests.support.servers.redis_servers import RedisServer


@pytest.mark.model
def test_a_class_compares_upload_and_tokens_and_sees_a_server_forget(folder: Path, open_tab: OpenTab) -> None:
    if packaged_model() is None:
        pytest.skip(f"needs the model file: {INSTALL}")
    with App(folder / "data") as app:
        tab = open_tab(app, "a-class", "/threads")
        tab.sees("The replica is a small server inside this app")
        tab.page.get_by_role("button", name="Run a script of 6 turns").click()
        tab.page.get_by_role("heading", name="The ledger").wait_for(timeout=240_000)
        tab.settled()
        takeaway = tab.page.locator("p", has_text="After 6 turns").first.inner_text()
        assert "tokens in each of them" in takeaway
        assert "not tokens" in takeaway
        uploaded = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) B", takeaway)]
        assert uploaded[0] > 2 * max(uploaded[1:]), takeaway
        tab.page.get_by_role("tab", name="Drills").click()
        tab.settled()
        tab.page.get_by_role("button", name="Expire it").click()
        tab.sees("It expired at the server", timeout=60_000)
        tab.sees("does not know conversation", timeout=60_000)
    assert "Traceback" not in app.log.read_text()


def test_looking_writes_nothing(app: App, server: RedisServer, open_tab: OpenTab, session_on_typist: str) -> None:
    before = server.everything()
    tab = open_tab(app, session_on_typist, "/threads")
    for name in state.TABS:
        tab.page.get_by_role("tab", name=name).click()
        tab.settled()
    assert server.everything() == before


def test_nothing_runs_over_the_edge_of_a_phone(app: App, open_tab: OpenTab, session_on_typist: str) -> None:
    tab = open_tab(app, session_on_typist, "/threads", width=390)
    for name in state.TABS:
        tab.page.get_by_role("tab", name=name).click()
        tab.settled()
        expect(tab.page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390, name
