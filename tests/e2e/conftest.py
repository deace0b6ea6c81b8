"""Fixtures for browser tests: real Chromium, a real redis-server, the real app, and the typist as the model."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.app.app_process import App
from tests.support.app.browser import CHROMIUM, FLAGS, Chat
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist, choose_typist


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


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary folder with a short path, because the path of a unix socket may have only 104 bytes."""
    path = Path(tempfile.mkdtemp(prefix="ws-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    running = RedisServer("--appendonly", "yes").start()
    yield running
    running.close()


@pytest.fixture
def typist() -> Iterator[Typist]:
    with Typist() as typing:
        yield typing


@pytest.fixture
def app_env(server: RedisServer, typist: Typist) -> dict[str, str]:
    """Settings that give the app this test's Redis, and the typist as OpenAI."""
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


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Callable[..., Chat]]:
    """Opens tabs, each in a browser context of its own. Fails the test if a page requested anything from elsewhere."""
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
    """The id of a session whose stored settings choose the typist."""
    session_id = "11111111-2222-4333-8444-555555555555"
    choose_typist(server, session_id)
    return session_id
