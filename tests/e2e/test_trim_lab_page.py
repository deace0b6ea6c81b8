"""The trim lab in a real browser: the line on the cliff map, the probe, and a report that is saved and opened again."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.support.app.app_process import App
from tests.support.app.browser import OpenTab
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist

TABS = (
    "What is lost at which budget?",
    "Which strategy loses least?",
    "Does the model still know?",
    "What does trimming cost?",
    "Open a report",
)


def test_moving_the_line_greys_the_conversation_at_once(app: App, open_tab: OpenTab, session_on_typist: str) -> None:
    tab = open_tab(app, session_on_typist, "/trim_lab")
    line = tab.page.get_by_role("slider", name="Budget in tokens")
    dropped = tab.page.locator(".message.dropped")
    line.focus()
    line.press("End")
    expect(dropped).to_have_count(0)
    line.press("Home")
    expect(dropped.first).to_be_visible()
    at_the_bottom = dropped.count()
    assert at_the_bottom >= 12
    tab.page.locator("canvas").click(position={"x": 50, "y": 120})
    expect(dropped).not_to_have_count(at_the_bottom)


def test_a_probe_is_asked_saved_and_opened_again(
    app: App, server: RedisServer, typist: Typist, open_tab: OpenTab, session_on_typist: str, folder: Path
) -> None:
    typist.words, typist.seconds_per_word = 3, 0.0
    before = server.everything()
    tab = open_tab(app, session_on_typist, "/trim_lab")
    tab.page.get_by_role("tab", name="Does the model still know?").click()
    tab.sees("requests,")
    tab.settled()
    assert typist.requests == []
    tab.page.get_by_role("button", name="Run probe").click()
    tab.sees("For comparison: with everything sent")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Save report").click()
    saved = folder / "report.json"
    download.value.save_as(saved)
    text = saved.read_text()
    assert "sk-test" not in text
    tab.page.get_by_role("tab", name="Open a report").click()
    tab.page.locator("input[type=file]").set_input_files(saved)
    tab.sees("the conversation that is open")
    tab.sees("For comparison: with everything sent")
    tab.page.locator("input[type=file]").set_input_files(
        {"name": "other.json", "mimeType": "application/json", "buffer": b'{"format": "something else"}'}
    )
    tab.sees("This is not a report of the trim lab.")
    assert server.everything() == before


def test_nothing_runs_over_the_edge_of_a_phone(app: App, open_tab: OpenTab, session_on_typist: str) -> None:
    tab = open_tab(app, session_on_typist, "/trim_lab", width=390)
    for name in TABS:
        tab.page.get_by_role("tab", name=name).click()
        tab.settled()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390, name
