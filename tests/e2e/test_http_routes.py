"""What comes over HTTP shows in a browser as it happens, and a page of another site can do nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from playwright.sync_api import expect

from tests.support.app.app_process import App
from tests.support.app.browser import OpenTab
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist

BLOCKED = ("Content Security Policy", "X-Frame-Options", "MIME type", "Refused to")
"""How Chromium words that a header forbade something."""


@pytest.fixture
def other_site() -> Iterator[str]:
    """The address of another site, whose page frames the address in its query and sends messages to it."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            app = self.path.partition("?")[2]
            attack = (
                f"""fetch("{app}/api/chat", {{method: "POST", mode: "no-cors", body: '{{"message": "stolen"}}'}})"""
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            page = f"<iframe src='{app}'></iframe><script>{attack}.finally(() => document.title = 'done')</script>"
            self.wfile.write(page.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_message_from_a_program_streams_into_an_open_tab_and_into_its_pages(
    app: App, open_tab: OpenTab, server: RedisServer, typist: Typist, session_on_typist: str
) -> None:
    typist.words, typist.first_word_gate = 30, threading.Event()
    tab = open_tab(app, session_on_typist)
    tab.settled()
    body = {"message": "sent by a program", "sessionId": session_on_typist}
    with (
        httpx2.Client(base_url=app.url, timeout=60, trust_env=False) as client,
        client.stream("POST", "/api/chat", json=body, headers={"accept": "text/event-stream"}) as response,
    ):
        tab.sees("sent by a program")
        typist.first_word_gate.set()
        tab.sees("word5")
        assert server.stored(session_on_typist) == []
        lines = [line for line in response.iter_lines() if line.startswith("data: ")]
    assert json.loads(lines[-1].removeprefix("data: "))["reply"] == typist.text()
    tab.sees("word30")
    expect(tab.messages()).to_have_count(2)
    tab.page.get_by_role("link", name="Context window").first.click()
    tab.sees("sent by a program")
    assert len(typist.requests) == 1


def test_the_pages_work_with_the_security_headers_and_without_complaints(app: App, open_tab: OpenTab) -> None:
    tab = open_tab(app)
    complaints: list[str] = []
    tab.page.on("console", lambda line: complaints.append(line.text))
    tab.click("Open an example")
    tab.sees("Boa viagem")
    session_id = tab.session_id
    for path in ("/", "/trim_lab"):
        tab.open(session_id, path)
        tab.settled()
        answer = tab.page.request.get(app.url + path)
        assert answer.headers["content-security-policy"] == "frame-ancestors 'self'; img-src 'self' data: blob:"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert [text for text in complaints if any(word in text for word in BLOCKED)] == []


def test_another_site_can_neither_frame_the_app_nor_send_messages(
    app: App, open_tab: OpenTab, server: RedisServer, typist: Typist, other_site: str
) -> None:
    tab = open_tab(app)
    tab.page.goto(f"{other_site}/?{app.url}")
    expect(tab.page).to_have_title("done")
    frame = tab.page.frames[1]
    frame.wait_for_load_state()
    assert frame.locator("#root").count() == 0
    assert server.everything() == {}
    assert typist.requests == []
