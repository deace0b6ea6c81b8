"""People who log in with a real OpenID provider on this machine see their own chats; an admin sees all of them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from lib.ui.shell.menu import MENU
from tests.support.app.app_process import ROOT, App
from tests.support.app.browser import Chat, OpenTab
from tests.support.servers.redis_servers import free_port
from tests.support.waiting import wait_until

ANNA = '{"sub": "anna", "email": "anna@example.org", "name": "Anna"}'
BERT = '{"sub": "bert", "email": "boss@example.org", "email_verified": false, "name": "Bert"}'
BOSS = '{"sub": "boss", "email": "boss@example.org", "email_verified": true, "name": "Boss"}'
WORDS = "The password is swordfish."


@pytest.fixture
def provider(folder: Path) -> Iterator[str]:
    """The address of a login provider with three people. The second claims an admin's address, unverified."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    for claims in (ANNA, BERT, BOSS):
        command += ["--user-claims", claims]
    with (folder / "provider.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(port), "the login provider")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def context_of_a_tab(context_of_its_own: Callable[[], BrowserContext]) -> Callable[[], BrowserContext]:
    """Every tab is another person's browser."""
    return context_of_its_own


@pytest.fixture
def app(folder: Path, app_env: dict[str, str], provider: str) -> Iterator[App]:
    """The app in a folder whose secrets.toml has the login."""
    shutil.copytree(ROOT / ".streamlit", folder / ".streamlit")
    env = app_env | {"WINDOWSEAT_ADMINS": "boss@example.org", "WINDOWSEAT_PROVIDER": "openai"}
    running = App(folder / "data", env, script=str(ROOT / "app.py"), cwd=folder)
    (folder / ".streamlit/secrets.toml").write_text(f"""
[auth]
redirect_uri = "{running.url}/oauth2callback"
cookie_secret = "a-secret-for-tests-that-is-long-enough"
client_id = "windowseat"
client_secret = "not-used-by-this-provider"
server_metadata_url = "{provider}/.well-known/openid-configuration"
""")
    with running:
        yield running
    assert "Traceback" not in running.log.read_text(), running.log.read_text()[-4000:]


def log_in(tab: Chat, name: str) -> None:
    """Through the provider's page, back to the app."""
    tab.page.get_by_role("button", name="Log in").click()
    tab.page.get_by_role("button", name=name, exact=True).click()
    tab.box.wait_for()
    tab.settled()
    tab.outside.clear()  # the provider's page asks for a style sheet elsewhere


def status_of(app: App, session_id: str, tab: Chat) -> int:
    """The status with which the route answers whoever is logged in in this browser."""
    return tab.page.context.request.get(f"{app.url}/api/chat/{session_id}").status


def open_at_the_door(open_tab: OpenTab, app: App, path: str = "/tokens") -> Chat:
    tab = open_tab(app, None, path)
    tab.sees("Log in to see your chats")
    return tab


def test_people_see_their_own_chats_and_an_admin_sees_all(app: App, open_tab: OpenTab) -> None:
    anna = open_at_the_door(open_tab, app)
    for entry in MENU.values():
        anna.page.goto(f"{app.url}/{Path(entry.path).stem.removesuffix('app')}?session=some-chat")
        anna.sees("Log in to see your chats")
        expect(anna.page.get_by_role("tab")).to_have_count(0)
        expect(anna.box).to_have_count(0)
    log_in(anna, "anna")
    anna.sees("Anna")
    anna.send(WORDS)
    anna.sees("word40")
    session_id = anna.session_id

    bert = open_at_the_door(open_tab, app)
    log_in(bert, "bert")
    bert.sees("Only you see your chats")
    bert.sees_not(WORDS)
    bert.open(session_id)
    bert.sees("This chat belongs to someone else.")

    boss = open_at_the_door(open_tab, app)
    log_in(boss, "boss")
    boss.sees("You see everybody's chats")
    boss.button(WORDS).first.click()
    expect(boss.messages()).to_have_count(2)

    statuses = [status_of(app, session_id, tab) for tab in (anna, bert, boss)]
    assert statuses == [200, 404, 200]

    anna.page.locator(".st-key-log_out button").click()
    anna.button("End session").click()
    anna.sees("Log in to see your chats")
    anna.page.goto(f"{app.url}/?session={session_id}")
    anna.sees("Log in to see your chats")
    anna.sees_not(WORDS)
    log_in(anna, "anna")
    anna.open(session_id)
    expect(anna.messages()).to_have_count(2)
    for tab in (anna, bert, boss):
        tab.outside.clear()
