"""Models side by side in a real browser: the columns stream without moving anything, and the best one is named."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.support.app.app_process import App
from tests.support.app.browser import LAYOUT_SHIFT, OpenTab
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist

STABLE = 0.1
"""The largest layout shift that counts as good (web.dev/articles/cls)."""


def test_two_settings_are_compared_and_one_is_gone_on_with(app: App, typist: Typist, open_tab: OpenTab) -> None:
    typist.words, typist.seconds_per_word = 25, 0.03
    tab = open_tab(app, path="/compare")
    tab.click("Ask 4 example questions")
    tab.sees("No winner yet")
    tab.page.get_by_text("You:").nth(1).wait_for()
    tab.page.evaluate(LAYOUT_SHIFT.replace("buffered: true", "buffered: false"))
    tab.sees("reads least")
    expect(tab.page.get_by_role("link", name="Go on with this one")).to_have_count(2)
    expect(tab.page.get_by_text(re.compile("over 4 answers"))).to_be_visible()
    assert tab.page.evaluate("window.layoutShift") < STABLE
    assert len(typist.requests) == 8
    tab.page.get_by_role("link", name="Go on with this one").last.click()
    expect(tab.messages()).to_have_count(8)
    tab.box.fill("and now?")
    tab.box.press("Enter")
    expect(tab.messages()).to_have_count(10)
    assert typist.requests[-1]["messages"][-1]["content"] == "and now?"


def test_looking_writes_nothing_and_it_fits_a_phone(
    app: App, server: RedisServer, open_tab: OpenTab, session_on_typist: str
) -> None:
    before = server.everything()
    tab = open_tab(app, session_on_typist, "/compare", width=390)
    expect(tab.button("Ask 4 example questions")).to_be_visible()
    tab.click("Add a column")
    tab.sees("C: typist-1")
    tab.settled()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert server.everything() == before
