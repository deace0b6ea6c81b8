"""The open tab of a page is part of its address, so that a copied link shows the same view."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.support.app.app_process import App
from tests.support.app.browser import OpenTab


def test_a_link_opens_the_tab_it_was_copied_from_and_a_wrong_one_opens_the_first(
    app: App, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist)
    tab.click("Open an example")
    tab.sees("Boa viagem")
    session_id = tab.session_id
    for path, name, first in (
        ("/tokens", "Money", "Request by request"),
        ("/trim_lab", "What does trimming cost?", "What is lost at which budget?"),
    ):
        tab.open(session_id, path)
        tab.page.get_by_role("tab", name=name).click()
        tab.settled()
        expect(tab.page).to_have_url(re.compile("_tab="))
        tab.page.goto(tab.page.url)
        expect(tab.page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        tab.page.goto(re.sub("_tab=[^&]*", "_tab=nonsense", tab.page.url))
        expect(tab.page.get_by_role("tab", name=first)).to_have_attribute("aria-selected", "true")
    tab.page.get_by_role("link", name="Chat").first.click()
    expect(tab.page).to_have_url(f"{app.url}/?session={session_id}")
