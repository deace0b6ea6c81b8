"""The page in a real browser: the first one against a bare Streamlit app, and a reply at 5,000 messages against ten."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.app.app_process import App
from tests.support.app.browser import CHROMIUM, FLAGS, Chat
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist, choose_typist

BARE = 'import streamlit as st\nst.write("hello")\n'
BARE_CHAT = 'import streamlit as st\nst.write("hello")\nst.chat_input("hello")\n'
INPUT = '[data-testid="stChatInputTextArea"]'
ROUNDS = 7


@contextmanager
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="wb-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def first_page(browser: Browser, script: str | None) -> tuple[float, float]:
    """Seconds from process start to the finished script and to the whole page, of a bare app or ours (None)."""
    with folder() as home:
        (home / "data").mkdir()
        app = App(home / "data")
        if script is not None:
            (home / "bare.py").write_text(script)
            shutil.copytree(Path(__file__).parents[2] / ".streamlit", home / ".streamlit")
            app = App(home / "data", script="bare.py", cwd=home)
        started = time.perf_counter()
        last_frame = 0.0

        def frame(_: object) -> None:
            nonlocal last_frame
            last_frame = time.perf_counter() - started

        with app:
            page = browser.new_context().new_page()
            page.on("websocket", lambda socket: socket.on("framereceived", frame))
            page.goto(app.url)
            page.wait_for_selector('[data-testid="stMarkdown"]' if script == BARE else INPUT)
            page.wait_for_selector('[data-test-script-state="notRunning"]', state="attached")
            shown = time.perf_counter() - started
            page.context.close()
        return last_frame, shown


def reply_shown(chat: Chat, count: int) -> tuple[float, float]:
    """Milliseconds from Enter to the reply on the page, and KB over the websocket until it is settled."""
    received = 0

    def note(payload: str | bytes) -> None:
        nonlocal received
        received += len(payload)

    chat.page.on("websocket", lambda socket: socket.on("framereceived", note))
    chat.page.reload()
    chat.box.wait_for()
    times, sizes = [], []
    for n in range(ROUNDS):
        chat.settled()
        chat.page.wait_for_timeout(300)
        before, started = received, time.perf_counter()
        chat.send(f"message {count}-{n}")
        chat.page.wait_for_function(
            "text => [...document.querySelectorAll('[data-testid=stChatMessage]')].slice(-2)"
            ".map(m => m.innerText).join('|').includes(text + '|') && document.body.innerText.includes('first word')"
            " && [...document.querySelectorAll('[data-testid=stChatMessage]')].at(-1).innerText.includes('word1')",
            arg=f"message {count}-{n}",
        )
        times.append((time.perf_counter() - started) * 1000)
        chat.settled()
        chat.page.wait_for_timeout(200)
        sizes.append((received - before) / 1024)
    return statistics.median(times), statistics.median(sizes)


def conversation(server: RedisServer, session_id: str, count: int) -> None:
    """A stored conversation of this many messages of about 400 characters."""
    text = "Some words of a message, as long as they often are. " * 8
    roles = ("user", "assistant")
    with server.client() as client:
        value = [{"role": roles[n % 2], "content": f"{n}: {text}"} for n in range(count)]
        client.set(f"chat:{session_id}", json.dumps(value))
    choose_typist(server, session_id, max_tokens=4096)


def main() -> None:
    """Print both tables."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        runs: dict[str | None, list[tuple[float, float]]] = {BARE: [], BARE_CHAT: [], None: []}
        for _ in range(ROUNDS):
            for script, times in runs.items():
                times.append(first_page(browser, script))
        print("\nFirst page, from the start of the process (median seconds)  baseline    ours    ratio")
        ours_script, ours_shown = (statistics.median(run[place] for run in runs[None]) for place in (0, 1))
        rows = [
            ("script finished, against a bare one-line app", statistics.median(r[0] for r in runs[BARE]), ours_script),
            (
                "all shown, against a bare app with a chat input",
                statistics.median(r[1] for r in runs[BARE_CHAT]),
                ours_shown,
            ),
            ("all shown, against a bare one-line app", statistics.median(r[1] for r in runs[BARE]), ours_shown),
        ]
        for label, base, ours in rows:
            print(f"  {label:<54} {base:>10.2f} {ours:>9.2f} {ours / base:>8.2f}")
        with folder() as home, Typist(words=1, seconds_per_word=0) as typist:
            server = RedisServer("--appendonly", "yes").start()
            env = {"REDIS_URL": server.url, "OPENAI_BASE_URL": typist.url, "OPENAI_API_KEY": "sk-bench"}
            results = {}
            with App(home / "data", env) as app:
                for count in (10, 5000):
                    conversation(server, f"bench-{count}", count)
                    page: Page = browser.new_page()
                    results[count] = reply_shown(Chat(page, app.url).open(f"bench-{count}"), count)
                    page.close()
            server.close()
        print("\nA message sent and answered                     10 messages    5,000 messages    ratio")
        for place, label in ((0, "Enter to the reply on the page (ms)"), (1, "over the websocket, whole turn (KB)")):
            few, many = results[10][place], results[5000][place]
            print(f"  {label:<44} {few:>12.0f} {many:>17.0f} {many / few:>8.2f}")
        browser.close()


if __name__ == "__main__":
    main()
