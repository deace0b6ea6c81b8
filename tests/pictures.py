"""Remakes the pictures of the docs from the example conversation: `uv run python -m tests.pictures`.

It starts the app with a store of its own, opens the example on each page in Chromium, and writes docs/*.png. Nothing is
sent to a model.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.support.app.app_process import App
from tests.support.app.browser import CHROMIUM, FLAGS

DOCS = Path(__file__).parents[1] / "docs"
SIZE: ViewportSize = {"width": 1280, "height": 860}
"""CSS pixels; wide enough for every page's columns."""
PAGES = {
    "tokens": "tokens",
    "context_window": "context_window",
    "trim_lab": "trim_lab",
    "threads": "threads",
    "sessions": "sessions",
    "record": "record",
    "chat": "",  # last, when the model has started and counts
}


def settled(page: Page) -> None:
    """Wait until the script has finished and what it sent is drawn."""
    page.wait_for_selector('[data-test-script-state="notRunning"]', state="attached")
    page.wait_for_function("document.fonts.status === 'loaded'")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)  # charts draw themselves in steps and say nothing when they are done


def main() -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        data = Path(home) / "data"
        data.mkdir()
        with App(data) as app:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
            page.goto(app.url)
            page.get_by_role("button", name="Open an example").click()
            page.get_by_test_id("stChatMessage").first.wait_for()
            session = page.url.split("session=")[1].split("&")[0]
            for name, path in PAGES.items():
                page.goto(f"{app.url}/{path}?session={session}")
                settled(page)
                page.screenshot(path=DOCS / f"{name}.png")
                print(f"docs/{name}.png")
            browser.close()


if __name__ == "__main__":
    main()
