"""Fixtures for browser tests: real Chromium, a real redis-server, the real app, and the typist as the model."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

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
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """For tests that need browsers of several people, or one of their own."""
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def profile(playwright: Playwright) -> Iterator[BrowserContext]:
    """The browser of all other tests of a worker. It keeps Streamlit's compiled scripts, which saves nearly half of the
    work of opening a page."""
    path = tempfile.mkdtemp(prefix="ws-profile-")
    context = playwright.chromium.launch_persistent_context(
        path, executable_path=CHROMIUM, args=FLAGS, reduced_motion="reduce"
    )
    yield context
    context.close()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def context_of_a_tab(profile: BrowserContext) -> Callable[[], BrowserContext]:
    """Gives each tab of a test its browser context: the same one, without cookies of earlier tests."""
    profile.clear_cookies()
    return lambda: profile


@pytest.fixture
def context_of_its_own(browser: Browser) -> Iterator[Callable[[], BrowserContext]]:
    """Gives each tab a browser context of its own, as a person with another browser has it."""
    contexts: list[BrowserContext] = []

    def another() -> BrowserContext:
        contexts.append(browser.new_context(reduced_motion="reduce"))
        return contexts[-1]

    yield another
    for context in contexts:
        context.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary folder with a short path, because the path of a unix socket may have only 104 bytes."""
    path = Path(tempfile.mkdtemp(prefix="ws-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_server() -> Iterator[RedisServer]:
    running = RedisServer("--appendonly", "yes").start()
    yield running
    running.close()


@pytest.fixture(scope="session")
def shared_typist() -> Iterator[Typist]:
    with Typist() as typing:
        yield typing


@pytest.fixture(scope="session")
def shared_app(shared_server: RedisServer, shared_typist: Typist) -> Iterator[App]:
    """The app of all tests of a worker that only look and type: its start takes longer than most of them."""
    path = Path(tempfile.mkdtemp(prefix="ws-"))
    with App(path / "data", env_of(shared_server, shared_typist)) as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


def on_its_own(request: pytest.FixtureRequest) -> bool:
    """Whether the test has a Redis, a typist and an app of its own, because it stops one of them."""
    return request.node.get_closest_marker("own_app") is not None


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """An empty Redis server."""
    if on_its_own(request):
        running = RedisServer("--appendonly", "yes").start()
        yield running
        running.close()
        return
    shared: RedisServer = request.getfixturevalue("shared_server")
    with shared.client() as client:
        client.flushall()
    yield shared


@pytest.fixture
def typist(request: pytest.FixtureRequest) -> Iterator[Typist]:
    """A typist that has typed nothing yet."""
    if on_its_own(request):
        with Typist() as typing:
            yield typing
        return
    shared: Typist = request.getfixturevalue("shared_typist")
    yield shared
    shared.start_afresh()


@pytest.fixture
def app_env(server: RedisServer, typist: Typist) -> dict[str, str]:
    """Settings that give an app this test's Redis, and the typist as OpenAI."""
    return env_of(server, typist)


def env_of(server: RedisServer, typist: Typist) -> dict[str, str]:
    return {
        "REDIS_URL": server.url,
        "OPENAI_BASE_URL": typist.url,
        "OPENAI_API_KEY": "sk-test-typist",
        "OPENAI_MODEL": "typist-1",
    }


@pytest.fixture
def app(request: pytest.FixtureRequest, folder: Path, app_env: dict[str, str]) -> Iterator[App]:
    """The app on this test's Redis and typist. Fails the test if a traceback was logged meanwhile."""
    if on_its_own(request):
        with App(folder / "data", app_env) as running:
            yield running
        logged = running.log.read_text()
    else:
        running = request.getfixturevalue("shared_app")
        before = running.log.stat().st_size
        yield running
        logged = running.log.read_bytes()[before:].decode(errors="replace")
    assert "Traceback" not in logged, logged[-4000:]


@pytest.fixture
def open_tab(context_of_a_tab: Callable[[], BrowserContext]) -> Iterator[Callable[..., Chat]]:
    """Opens tabs. Fails the test if a page requested anything from elsewhere."""
    tabs: list[Chat] = []

    def opener(app: App, session_id: str | None = None, path: str = "/", width: int = 1280) -> Chat:
        page = context_of_a_tab().new_page()
        page.set_viewport_size({"width": width, "height": 800})
        if not tabs:  # Streamlit keeps there whether the sidebar is open
            origin = {"origin": app.url, "storageTypes": "local_storage"}
            page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", origin)
        tabs.append(Chat(page, app.url))
        return tabs[-1].open(session_id, path)

    yield opener
    for tab in tabs:
        tab.page.close()
    assert [url for tab in tabs for url in tab.outside] == []


@pytest.fixture
def session_on_typist(server: RedisServer) -> str:
    """The id of a session whose stored settings choose the typist."""
    session_id = str(uuid.uuid4())
    choose_typist(server, session_id)
    return session_id
