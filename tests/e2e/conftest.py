"""Real Chromium, a real redis-server, the real app, and a typist for a model."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.support.app_process import App
from tests.support.typist import Typist

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="needs Chromium: apt-get install chromium"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


class RedisServer:
    """A redis-server of this test's own, that can be stopped and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "r.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> RedisServer:
        self.process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                "0",
                "--unixsocket",
                str(self.socket),
                "--dir",
                str(self.folder),
                "--appendonly",
                "yes",
                "--save",
                "",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, "redis-server answers")
        return self

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(10)

    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), retry=None)

    def stored(self, session_id: str) -> list[dict[str, Any]]:
        """The plain value another service would read."""
        with self.client() as client:
            return json.loads(client.get(f"chat:{session_id}") or "[]")

    def live(self, session_id: str) -> dict[str, Any] | None:
        with self.client() as client:
            value = client.get(f"{{chat:{session_id}}}:live")
            return json.loads(value) if value else None


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a unix socket's may be 104 bytes."""
    path = Path(tempfile.mkdtemp(prefix="ws-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(folder: Path) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server: apt-get install redis-server")
    running = RedisServer(folder).start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture
def typist() -> Iterator[Typist]:
    with Typist() as typing:
        yield typing


@pytest.fixture
def app_env(server: RedisServer, typist: Typist) -> dict[str, str]:
    """The app on this test's Redis, answering by the typist."""
    return {
        "REDIS_URL": server.url,
        "OPENAI_BASE_URL": typist.url,
        "OPENAI_API_KEY": "sk-test-typist",
        "OPENAI_MODEL": "typist-1",
    }


@pytest.fixture
def app(folder: Path, app_env: dict[str, str]) -> Iterator[App]:
    with App(folder / "data", app_env) as running:
        yield running
    assert "Traceback" not in running.log.read_text(), running.log.read_text()[-4000:]


class Chat:
    """The chat page in one tab, by what a person sees."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.outside: list[str] = []
        page.on("request", self._note)
        page.set_default_timeout(15_000)

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

    def sees(self, text: str, timeout: float = 15_000) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=timeout)

    def sees_not(self, text: str) -> None:
        expect(self.page.get_by_text(text)).to_have_count(0)

    def settled(self) -> None:
        """Until the script is not running."""
        expect(self.page.locator("[data-test-script-state=notRunning]")).to_have_count(1)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def click(self, name: str) -> None:
        self.button(name).first.click()

    def stop_reply(self) -> None:
        """Our Stop, below the conversation; Streamlit has one of its own at the top."""
        self.page.locator(".st-key-stop button").click()


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Callable[..., Chat]]:
    """Open a tab (a browser context of its own) on an app; at the end, no tab has asked for anything outside."""
    tabs: list[Chat] = []

    def opener(app: App, session_id: str | None = None, path: str = "/", width: int = 1280) -> Chat:
        context = browser.new_context(viewport={"width": width, "height": 800})
        tabs.append(Chat(context.new_page(), app.url))
        return tabs[-1].open(session_id, path)

    yield opener
    for tab in tabs:
        tab.page.context.close()
    assert [url for tab in tabs for url in tab.outside] == []


@pytest.fixture
def session_on_typist(server: RedisServer) -> str:
    """A session whose settings choose the typist, as if a person had chosen it before."""
    session_id = "11111111-2222-4333-8444-555555555555"
    choose_typist(server, session_id)
    return session_id


def choose_typist(server: RedisServer, session_id: str, **changes: Any) -> None:
    """Store settings for a session that choose the typist."""
    settings = {
        "provider": "openai",
        "model": "typist-1",
        "system_prompt": "Be brief.",
        "max_tokens": 4096,
        "reserved_for_reply": 512,
        "strategy": "oldest_first",
        **changes,
    }
    with server.client() as client:
        client.hset(f"{{chat:{session_id}}}:about", "settings", json.dumps(settings))


def wait_until(condition: Callable[[], object], what: str, seconds: float = 15.0) -> Any:
    """Poll until it holds; the last value. For things outside the browser, which playwright cannot wait for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain: {what}")
