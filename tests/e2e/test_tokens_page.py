"""The tokens page in a real browser: every tab after two turns, also on a phone, and looking writes nothing."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.app.app_process import App
from tests.support.app.browser import Chat, OpenTab
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist

TABS = ("Request by request", "Who counted", "Money", "Inside a message")


def two_exchanges(typist: Typist, tab: Chat) -> Chat:
    """Two exchanges, then the tokens page by its link."""
    typist.words = 4
    for place, text in enumerate(("one <b>bold</b> word", "two"), start=1):
        tab.send(text)
        tab.sees(f"{2 * place - 1} of {2 * place - 1} message{'s' if place > 1 else ''} sent")
    tab.page.get_by_test_id("stSidebar").get_by_role("link", name="Tokens and money").click()
    tab.sees("You have")
    tab.settled()
    return tab


def test_an_analyst_finds_what_was_sent_who_counted_and_what_it_would_cost(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = two_exchanges(typist, open_tab(app, session_on_typist))
    tab.sees("because every request sends the conversation again")
    expect(tab.page.locator(".js-plotly-plot .bars path").first).to_be_visible()
    expect(tab.page.get_by_text("Message sizes are by")).to_contain_text("assumed")
    tab.page.get_by_role("tab", name="Who counted").click()
    tab.sees("characters / 4")
    tab.page.get_by_role("tab", name="Money").click()
    tab.sees("times as much for the same conversation")
    tab.sees("By turn 100 it comes to")
    tab.sees("prices: genai-prices")
    tab.page.get_by_role("tab", name="Inside a message").click()
    tab.page.get_by_role("combobox", name="Text").click()
    tab.page.get_by_role("option", name="1 · user: one <b>bold</b> word").click()
    expect(tab.page.locator(".token").filter(has_text="bold")).to_be_visible()
    assert "<b" in tab.page.locator(".tokens").inner_text()  # shown as text
    assert tab.page.locator(".tokens b").count() == 0


def test_nothing_runs_over_the_edge_of_a_phone(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    two_exchanges(typist, open_tab(app, session_on_typist))
    tab = open_tab(app, session_on_typist, "/tokens", width=390)
    for name in TABS:
        tab.page.get_by_role("tab", name=name).click()
        tab.settled()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390, name


def test_looking_at_every_tab_writes_nothing(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    two_exchanges(typist, open_tab(app, session_on_typist)).page.close()
    before = server.everything()
    tab = open_tab(app, session_on_typist, "/tokens")
    for name in TABS:
        tab.page.get_by_role("tab", name=name).click()
        tab.settled()
    assert server.everything() == before
    assert len(typist.requests) == 2
