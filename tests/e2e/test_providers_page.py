"""Models and endpoints in a browser: a server is added, tested and talked to; a temperature reaches it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.app.app_process import App
from tests.support.servers.machine_servers import OllamaServer
from tests.support.waiting import wait_until


def test_a_server_is_added_tested_and_asked_with_a_temperature(browser: Browser, tmp_path: Path) -> None:
    with (
        OllamaServer(window=2048) as ollama,
        App(tmp_path / "data", {"WINDOWSEAT_STORE": "memory"}) as app,
        browser.new_context(viewport={"width": 390, "height": 1600}) as context,
    ):
        ollama.loaded = ["gemma3:4b"]
        page = context.new_page()
        page.goto(f"{app.url}/providers")
        # the page is drawn to its end: what is opened before may be drawn once more, and closes
        expect(page.get_by_role("button", name="Test the connection")).to_have_count(3)
        expect(page.locator("[data-test-script-state='notRunning']")).to_have_count(1)
        page.get_by_text("Add an endpoint").click()
        page.get_by_role("button", name="Add", exact=True).hover()  # waits until the panel has stopped moving
        page.get_by_role("combobox", name="Server").click()
        page.get_by_role("option", name="Ollama").click()
        address = page.get_by_role("textbox", name="Address")
        expect(address).to_have_value("http://127.0.0.1:11434/v1")
        address.fill(ollama.url)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_text("this browser session", exact=True)).to_be_visible()
        assert ollama.asked == []
        page.get_by_role("button", name="Test the connection").last.click()
        expect(page.get_by_text("2,048 tokens, of the loaded model, as Ollama says")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        page.set_viewport_size({"width": 1280, "height": 900})
        page.get_by_role("button", name="New chat with it").last.click()
        page.get_by_text("Chat settings").click()
        page.get_by_text("Generation settings").click()
        temperature = page.get_by_role("spinbutton", name="Temperature")
        temperature.fill("0.5")
        temperature.press("Enter")
        expect(page.get_by_text("Sent with every message: temperature 0.5")).to_be_visible()
        box = page.get_by_test_id("stChatInputTextArea")
        box.fill("The code word is marigold-1.")
        box.press("Enter")
        expect(page.get_by_text("It is marigold-1.")).to_be_visible()
        request = wait_until(lambda: ollama.requests[0])
        assert (request["model"], request["temperature"]) == ("gemma3:4b", 0.5)
        assert not {"top_p", "seed", "stop", "reasoning_effort"} & set(request)
