"""The sessions page in a real browser: one story from the list to a compared fork, on a phone too, and no write."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from lib.ui.sessions import tabs
from tests.support.app.app_process import App
from tests.support.app.browser import Chat, OpenTab
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist


def two_turns(typist: Typist, tab: Chat) -> Chat:
    """Two exchanges, then the sessions page by its link."""
    typist.words, typist.seconds_per_word = 4, 0.0
    for place, text in enumerate(("Name a <b>blue</b> fruit", "Name a red one"), start=1):
        tab.send(text)
        tab.sees(f"{2 * place - 1} of {2 * place - 1} message{'s' if place > 1 else ''} sent")
    tab.page.get_by_test_id("stSidebar").get_by_role("link", name="Sessions", exact=True).click()
    tab.sees("chat is stored.")
    tab.settled()
    return tab


def test_an_analyst_renames_deletes_brings_back_forks_and_compares(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = two_turns(typist, open_tab(app, session_on_typist))
    tab.page.get_by_test_id("stMain").get_by_role("button", name="Name a <b>blue</b> fruit").click()
    expect(tab.page.get_by_role("tab", name=tabs.OPEN)).to_have_attribute("aria-selected", "true")
    tab.sees("4 messages in 2 turns")

    tab.page.locator(".st-key-rename_panel button").click()
    tab.page.get_by_label("Title", exact=True).fill("Fruit by colour")
    tab.click("Save")
    expect(tab.page.get_by_role("heading", name="Fruit by colour")).to_be_visible()
    tab.page.keyboard.press("Escape")

    with server.client() as client:
        before = client.get(f"chat:{session_on_typist}")
    tab.page.locator(".st-key-delete_panel button").click()
    tab.click("Delete the chat")
    tab.sees("was deleted.")
    with server.client() as client:
        assert client.get(f"chat:{session_on_typist}") is None
    tab.click("Undo")
    expect(tab.page.get_by_role("heading", name="Fruit by colour")).to_be_visible()

    tab.page.locator(f".st-key-edit_panel-{session_on_typist}-2 button").click()
    tab.page.get_by_label("The message in the fork").fill("Name a green one")
    tab.click("Create the fork")
    tab.sees("in which message 3 was edited")
    tab.sees("3 of 3 messages sent")
    with server.client() as client:
        assert client.get(f"chat:{session_on_typist}") == before
    assert typist.requests[-1]["messages"][-1]["content"] == "Name a green one"

    tab.page.locator(f".st-key-relative_compare-{session_on_typist} button:visible").click()
    tab.sees("The first exchange is the same.")
    expect(tab.page.locator(".stMarkdownColoredBackground").filter(has_text="green").last).to_be_visible()
    tab.page.goto(tab.page.url)  # the comparison is in the address
    tab.sees("The first exchange is the same.")


def test_looking_at_everything_writes_nothing_and_fits_a_phone(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str
) -> None:
    two_turns(typist, open_tab(app, session_on_typist)).page.close()
    before = server.everything()
    tab = open_tab(app, session_on_typist, "/sessions", width=390)
    for name in tabs.TABS:
        tab.page.get_by_role("tab", name=name).click()
        tab.settled()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390, name
    tab.page.get_by_role("tab", name=tabs.OPEN).click()
    for name in tabs.VIEWS:
        tab.page.get_by_role("tab", name=name).click()
        tab.settled()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390, name
    expect(tab.page).to_have_url(re.compile("sessions_tab=The\\+open\\+chat&sessions_view=Settings"))
    tab.page.goto(tab.page.url.replace("The+open+chat", "All+chats").replace("sessions_tab", "find=blue&x"))
    tab.sees("1 chat found")
    assert server.everything() == before
    assert len(typist.requests) == 2
