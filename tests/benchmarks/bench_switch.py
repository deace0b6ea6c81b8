"""Switching pages on the example (80 messages, 40 turns): how long the page's script takes, and what jumps.

Beside each page stands an empty Streamlit page in the same run, which is the least a switch can cost.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from lib.ui.shell.menu import MENU, PageEntry
from tests.benchmarks.bench_page import folder
from tests.support.app.app_process import App
from tests.support.app.browser import CHROMIUM, FLAGS, LAYOUT_SHIFT

ROUNDS = 5
BASELINE = {
    "app.py": 'import streamlit as st\nst.page_link("pages/other.py")\nst.write("home")\n',
    "pages/other.py": 'import streamlit as st\nst.page_link("app.py")\nst.write("other")\n',
}
ENDED = '[data-test-script-state="notRunning"]'


def switch(page: Page, label: str) -> float:
    """Milliseconds from a click on the link with this label until its script has finished."""
    page.evaluate(
        """() => { window.ended = new Promise(done => {
            const app = document.querySelector('[data-test-script-state]');
            let ran = false;
            const look = () => {
                const state = app.dataset.testScriptState;
                if (state === 'running') ran = true;
                if (ran && state === 'notRunning') { watch.disconnect(); done(performance.now()); }
            };
            const watch = new MutationObserver(look);
            watch.observe(app, { attributes: true, attributeFilter: ['data-test-script-state'] });
        }); }"""
    )
    started = page.evaluate(
        "label => { const links = [...document.querySelectorAll('a')];"
        " const link = links.find(one => one.innerText.trim().endsWith(label));"
        " const now = performance.now(); link.click(); return now; }",
        label,
    )
    return float(page.evaluate("window.ended")) - float(started)


def median_switch(page: Page, label: str, away: str) -> float:
    """The median of several switches to the page with this label, each from the page `away`, which is not open."""
    times = []
    for _ in range(ROUNDS):
        switch(page, away)
        page.wait_for_timeout(400)
        times.append(switch(page, label))
        page.wait_for_timeout(400)
    return statistics.median(times)


def open_example(page: Page, url: str) -> None:
    """Open the example conversation in a new chat."""
    page.goto(url)
    page.get_by_role("button", name="Open an example").click()
    page.get_by_test_id("stChatMessage").first.wait_for()
    page.wait_for_selector(ENDED, state="attached")
    page.wait_for_timeout(500)


def main() -> None:
    """Print the table."""
    with sync_playwright() as playwright, folder() as home, folder() as bare_home:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, script in BASELINE.items():
            (bare_home / name).parent.mkdir(exist_ok=True)
            (bare_home / name).write_text(script)
        (bare_home / "data").mkdir()
        with App(bare_home / "data", script="app.py", cwd=bare_home) as bare:
            page = browser.new_page()
            page.goto(f"{bare.url}/other")
            page.wait_for_selector(ENDED, state="attached")
            page.wait_for_timeout(500)
            baseline = median_switch(page, "other", "app")
        print(
            "\nSwitch to a page, 80 messages in 40 turns   median ms   against a bare page   first visit (ms)   shift"
        )
        print(f"  {'a bare Streamlit page':<40} {baseline:>10.0f}")
        with App(Path(home) / "data") as app:
            for entry in MENU.values():
                row(browser.new_context(viewport={"width": 1280, "height": 800}).new_page(), app.url, entry, baseline)
        browser.close()


def row(page: Page, url: str, entry: PageEntry, baseline: float) -> None:
    """One page: its switches, its first visit by address, and the layout shift of that visit."""
    page.add_init_script(LAYOUT_SHIFT)
    open_example(page, url)
    address = "/" + ("" if entry.path == "app.py" else Path(entry.path).stem)
    away = MENU["tokens" if address == "/" else "chat"].title
    if address != "/":
        switch(page, entry.title)
        page.wait_for_timeout(400)
    took = median_switch(page, entry.title, away)
    started = time.perf_counter()
    page.goto(f"{url}{address}?{page.url.split('?')[1]}")
    page.wait_for_selector('[data-testid="stSidebar"] [data-testid="stPageLink"]')
    page.wait_for_selector(ENDED, state="attached")
    visit = (time.perf_counter() - started) * 1000
    page.wait_for_timeout(1000)
    shift = page.evaluate("window.layoutShift")
    print(f"  {entry.title:<40} {took:>10.0f} {took / baseline:>20.1f}x {visit:>18.0f} {shift:>8.3f}")
    page.context.close()


if __name__ == "__main__":
    main()
