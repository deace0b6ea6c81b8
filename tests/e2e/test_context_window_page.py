"""The context-window page in a real browser: rows, strip, pins, finding a forgotten fact; on a phone, too."""

from __future__ import annotations

import base64
import json

import pytest
from playwright.sync_api import expect

from lib.context import STRATEGIES
from tests.support.app.app_process import App
from tests.support.app.browser import Chat, OpenTab
from tests.support.cases.message_part_cases import picture
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist, choose_typist

FACT = "My <b>sister</b> lives in Lisbon."
LOGO = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My"
"""How the app's own drawing begins, which the menu shows."""
PICTURES = """() => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((node) => [
    ...(node.shadowRoot ? all(node.shadowRoot) : []), ...(node.tagName === "IMG" ? [node.getAttribute("src")] : [])]);
  return all(document);
}"""
"""The sources of all pictures on the page, those inside components too."""
TABS = ("Find a fact", "Messages", "What changed", "Next request")


@pytest.fixture
def forgetful(app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str) -> Chat:
    """A conversation whose first message is no longer sent, on its context-window page."""
    choose_typist(server, session_on_typist, max_tokens=150, reserved_for_reply=40)
    typist.words, typist.seconds_per_word = 12, 0.0
    tab = open_tab(app, session_on_typist)
    for place, text in enumerate((FACT, "What shall I cook?", "And for dessert?", "Where does she live?"), start=1):
        tab.send(text)
        expect(tab.page.get_by_role("link", name="Why did it answer this?")).to_have_count(place)
        tab.settled()
    return tab.open(session_on_typist, "/context_window")


def test_a_prompt_engineer_finds_which_turn_and_rule_dropped_the_fact(forgetful: Chat) -> None:
    tab = forgetful
    tab.page.get_by_test_id("stMain").get_by_role("button", name="Lisbon").click()  # a fact that was stated is offered
    tab.sees("was the first without it")
    tab.sees(f"would still have sent it: {STRATEGIES['head_and_tail'].short}")
    tab.page.get_by_role("button", name="Look at turn").first.click()
    chosen = tab.page.locator(".row.chosen")
    expect(chosen).to_be_in_viewport()
    expect(chosen).to_contain_text("Dropped: would exceed the 110-token budget")
    assert "turn=" in tab.page.url


def test_rows_are_text_and_a_click_on_the_strip_opens_one(forgetful: Chat) -> None:
    tab = forgetful
    tab.page.locator(".ghosts button").first.click()
    chosen = tab.page.locator(".row.chosen")
    expect(chosen).to_have_attribute("data-index", "0")
    expect(chosen.locator(".cell").first).to_have_text(FACT)
    assert tab.page.locator(".rows b").count() == 0
    tab.sees("matches what was sent")


def test_a_message_and_a_stretch_of_messages_open_by_keyboard(forgetful: Chat) -> None:
    tab = forgetful
    tab.page.get_by_role("tab", name="Next request").click()
    stretch = tab.page.locator(".stretch button")
    expect(stretch).to_contain_text("over budget")
    rows = tab.page.locator(".row[data-index]")
    before = rows.count()
    stretch.focus()
    tab.page.keyboard.press("Enter")
    expect(stretch).to_have_attribute("aria-expanded", "true")
    expect(stretch).to_be_focused()
    expect(rows).to_have_count(9)  # eight stored ones and the new one
    assert before < 9
    tab.page.keyboard.press("Tab")
    first = tab.page.locator(".row[data-index='0'] .line")
    expect(first).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(first).to_have_attribute("aria-expanded", "true")
    expect(tab.page.locator(".row[data-index='0'] .cell").first).to_have_text(FACT)


def test_no_picture_on_a_page_comes_from_an_address_or_is_a_drawing(
    app: App, server: RedisServer, open_tab: OpenTab, session_on_typist: str
) -> None:
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='window.ran=1'/>").decode()
    far = "https://far.example/p.png"
    urls = (f"data:image/png;base64,{picture(90, 60)}", f"data:image/svg+xml;base64,{svg}", far, "javascript:1")
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    text = f"![x]({far}) <img src='{far}'> \\`![x]({far})\\`"
    messages = [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]
    messages.append({"role": "assistant", "content": text})
    with server.client() as client:
        client.set(f"chat:{session_on_typist}", json.dumps(messages))
    tab = open_tab(app, session_on_typist)
    expect(tab.page.get_by_alt_text("An image in this message")).to_have_count(1)
    tab.sees(far)
    tab.settled()
    on_chat = tab.page.evaluate(PICTURES)
    tab.open(session_on_typist, "/context_window").page.get_by_role("tab", name="Messages").click()
    tab.page.locator(".row[data-index='0'] .line").click()
    expect(tab.page.locator(".part.image")).to_have_count(4)
    on_context_window = tab.page.evaluate(PICTURES)
    for sources, ours in ((on_chat, f"{app.url}/media/"), (on_context_window, "data:image/png;base64,")):
        others = [source for source in sources if not source.startswith(ours)]
        assert len(others) < len(sources)
        assert all(source.startswith(LOGO) for source in others), others
    assert tab.page.evaluate("window.ran") is None
    assert tab.outside == []


def test_a_reply_in_the_chat_leads_to_its_own_request(forgetful: Chat, session_on_typist: str) -> None:
    tab = forgetful.open(session_on_typist)
    tab.settled()
    tab.page.get_by_role("link", name="Why did it answer this?").nth(1).click()
    tab.sees("Everything was sent")
    assert "turn=2" in tab.page.url
    expect(tab.page.get_by_role("tab", name="Messages")).to_have_attribute("aria-selected", "true")
    expect(tab.page.locator(".row[data-index]")).to_have_count(3)


def test_a_pin_is_tried_first_then_kept_and_then_sent(
    forgetful: Chat, app: App, server: RedisServer, typist: Typist, session_on_typist: str
) -> None:
    tab, before = forgetful, server.everything()
    tab.page.get_by_role("tab", name="Next request").click()
    tab.page.locator(".stretch button").first.click()
    first = tab.page.locator(".row[data-index='0']")
    expect(first.locator(".tag")).to_have_text("over budget")
    first.get_by_role("button", name="Pin", exact=True).click()
    expect(first.locator(".tag")).to_have_text("pinned")
    tab.settled()
    assert server.everything() == before
    tab.page.get_by_role("button", name="Keep these settings").click()
    tab.sees("These are the chat's own settings")
    tab.open(session_on_typist).send("And my sister?")
    expect(tab.page.get_by_role("link", name="Why did it answer this?")).to_have_count(5)
    assert [message["content"] for message in typist.requests[-1]["messages"]][1] == FACT


def test_nothing_runs_over_the_edge_of_a_phone(
    forgetful: Chat, app: App, open_tab: OpenTab, session_on_typist: str
) -> None:
    tab = open_tab(app, session_on_typist, "/context_window", width=390)
    for name in TABS:
        tab.page.get_by_role("tab", name=name).click()
        tab.settled()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390, name
