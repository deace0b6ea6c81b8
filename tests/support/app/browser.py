"""Drives the app in Chromium through what a person sees."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

expect.set_options(timeout=15_000)  # bounds a hang; a loaded machine may need more than the default of 5 seconds
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

LAYOUT_SHIFT = """
window.layoutShift = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.layoutShift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
"""A script for the browser: adds up in `window.layoutShift` how far things jumped (web.dev/articles/cls)."""
DEADLINE_MS = 30_000
"""Milliseconds after which a wait in the browser fails. Long enough for a busy machine, so that only a hang fails."""
expect.set_options(timeout=DEADLINE_MS)


class Chat:
    """One browser tab with the app. `outside` collects requests that left this machine."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.outside: list[str] = []
        page.on("request", self._note)
        page.set_default_timeout(DEADLINE_MS)

    def _note(self, request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")):
            self.outside.append(request.url)

    def open(self, session_id: str | None = None, path: str = "/") -> Chat:
        self.page.goto(self.url + path + (f"?session={session_id}" if session_id else ""))
        if path == "/":
            self.box.wait_for()
        return self

    @property
    def box(self) -> Locator:
        return self.page.get_by_test_id("stChatInputTextArea")

    @property
    def session_id(self) -> str:
        return self.page.url.split("session=")[1].split("&")[0]

    def send(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def messages(self) -> Locator:
        return self.page.get_by_test_id("stChatMessage")

    def sees(self, text: str, timeout: float = DEADLINE_MS) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=timeout)

    def sees_not(self, text: str) -> None:
        expect(self.page.get_by_text(text)).to_have_count(0)

    def settled(self) -> None:
        """Wait until Streamlit's script has finished."""
        expect(self.page.locator("[data-test-script-state=notRunning]")).to_have_count(1)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def click(self, name: str) -> None:
        self.button(name).first.click()

    def stop_reply(self) -> None:
        """Click our own Stop button below the conversation, not Streamlit's at the top."""
        self.page.locator(".st-key-stop button").click()


OpenTab = Callable[..., Chat]
"""Opens a tab. Takes the app, a session id, a path and a width in pixels."""
