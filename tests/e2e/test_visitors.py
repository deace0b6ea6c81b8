"""Two visitors of one app, each in a browser of their own: neither sees the other's chats unless they are shared."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from lib.access.signer import LIFETIME, OwnerSigner
from lib.access.visitor_cookie import VisitorCookie
from tests.support.app.app_process import App
from tests.support.app.browser import Chat, OpenTab

SECRET = "a-secret-for-tests-that-is-long-enough"
TOKEN = "a-token-for-tests"
PAGES = ("/tokens", "/context_window", "/trim_lab", "/threads", "/sessions", "/record")
REFUSED = "This chat belongs to someone else."
WORDS = "The password is swordfish."


@pytest.fixture
def context_of_a_tab(context_of_its_own: Callable[[], BrowserContext]) -> Callable[[], BrowserContext]:
    """Every tab is another person's browser."""
    return context_of_its_own


@pytest.fixture
def app(folder: Path, app_env: dict[str, str]) -> Iterator[App]:
    """The app as it is for visitors, though it is bound to loopback."""
    ours = {
        "WINDOWSEAT_PEOPLE": "visitors",
        "WINDOWSEAT_COOKIE_SECRET": SECRET,
        "WINDOWSEAT_API_TOKEN": TOKEN,
        "WINDOWSEAT_PROVIDER": "openai",
    }
    with App(folder / "data", app_env | ours) as running:
        yield running
    assert "Traceback" not in running.log.read_text(), running.log.read_text()[-4000:]


def cookie_of(tab: Chat) -> dict[str, str]:
    """The visitor's cookie."""
    name = VisitorCookie(SECRET).name
    return {each["name"]: each["value"] for each in tab.page.context.cookies() if each["name"] == name}


def request(
    app: App, method: str, path: str, cookies: dict[str, str], body: object = None, person: str = ""
) -> tuple[int, str]:
    """Status and body of a request with the installation's token and these cookies."""
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/json",
        "X-Windowseat-Person": person,
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    }
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(app.url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def share(tab: Chat, choice: str) -> None:
    """Choose who may open the chat."""
    panel = tab.page.locator(".st-key-sharing_panel button").first
    panel.click()
    tab.page.get_by_text(choice, exact=True).click()
    tab.settled()
    expect(tab.page.get_by_text(f"?session={tab.session_id}")).to_have_count(int(choice != "Only you"))
    tab.page.keyboard.press("Escape")


def test_two_visitors_do_not_see_each_others_chats(app: App, open_tab: OpenTab) -> None:
    anna, bert = open_tab(app), open_tab(app)
    anna.sees("Only you see your chats")
    anna.send(WORDS)
    anna.sees("word40")
    anna.settled()
    session_id = anna.session_id
    anna.page.reload()
    expect(anna.messages()).to_have_count(2)

    bert.send("What is a comet?")
    bert.sees("word40")
    expect(bert.button("What is a comet?")).to_have_count(1)
    for path in ("/", *PAGES):
        bert.open(session_id, path)
        bert.sees(REFUSED)
        bert.settled()
        assert "swordfish" not in bert.page.content(), path
        expect(bert.page.get_by_test_id("stException")).to_have_count(0)
    bert.page.goto(f"{app.url}/sessions?find=swordfish")
    bert.sees("No chat found")

    bert.open(session_id)
    expect(bert.box).to_be_disabled()
    bert.page.locator(".st-key-own_chat button").first.click()
    bert.sees("See what a language model is sent")
    assert bert.session_id != session_id

    assert request(app, "GET", f"/api/chat/{session_id}", cookie_of(anna))[0] == 200
    missing = request(app, "GET", "/api/chat/nothing-here", cookie_of(bert))
    for cookies in (cookie_of(bert), {}):
        assert request(app, "GET", f"/api/chat/{session_id}", cookies) == missing
        assert missing[0] == 404
        for method, path, body in (
            ("POST", "/api/chat", {"sessionId": session_id, "message": "Hello"}),
            ("DELETE", f"/api/chat/{session_id}", None),
        ):
            status, said = request(app, method, path, cookies, body)
            assert (status, json.loads(said)["error"]["code"]) == (403, "not_yours")
    anna.page.reload()
    expect(anna.messages()).to_have_count(2)

    owner = VisitorCookie(SECRET).owner(cookie_of(anna)) or ""
    token = OwnerSigner(SECRET, "windowseat.program").sign(owner)
    assert request(app, "POST", "/api/chat", {}, {"message": "From Anna's program"}, token)[0] == 200
    assert request(app, "POST", "/api/chat", {}, {"message": "x"}, token[:-1])[0] == 403
    for tab, count in ((anna, 1), (bert, 0)):
        tab.page.reload()
        tab.settled()
        expect(tab.button("From Anna's program")).to_have_count(count)


def test_a_chat_is_shared_to_read_then_to_write_then_not_any_more(app: App, open_tab: OpenTab) -> None:
    anna, bert = open_tab(app), open_tab(app)
    anna.send(WORDS)
    anna.sees("word40")
    anna.settled()
    share(anna, "Anyone with the link may read")
    bert.open(anna.session_id)
    bert.sees("shared with you to read")
    expect(bert.messages()).to_have_count(2)
    expect(bert.box).to_be_disabled()
    for key in ("clear_panel", "settings", "retry_last", "edit_last", "sharing_panel"):
        expect(bert.page.locator(f".st-key-{key}")).to_have_count(0)
    assert request(app, "GET", f"/api/chat/{anna.session_id}", cookie_of(bert))[0] == 200
    asked = {"sessionId": anna.session_id, "message": "Hello"}
    assert request(app, "POST", "/api/chat", cookie_of(bert), asked)[0] == 403
    bert.page.locator(".st-key-fork_shared button").first.click()
    expect(bert.box).to_be_enabled()
    expect(bert.messages()).to_have_count(2)
    assert bert.session_id != anna.session_id

    share(anna, "Anyone with the link may write")
    bert.open(anna.session_id)
    bert.sees("you may write")
    bert.send("And I know it now.")
    expect(bert.messages()).to_have_count(4)
    bert.settled()
    expect(anna.messages()).to_have_count(4)
    expect(bert.page.locator(".st-key-clear_panel")).to_have_count(0)

    share(anna, "Only you")
    bert.sees(REFUSED)
    expect(bert.messages()).to_have_count(0)


def test_the_cookie_is_signed_and_hidden_and_a_wrong_one_is_replaced(app: App, open_tab: OpenTab) -> None:
    tab = open_tab(app)
    cookie = VisitorCookie(SECRET)
    (held,) = [each for each in tab.page.context.cookies() if each["name"] == cookie.name]
    assert (held["httpOnly"], held["sameSite"], held["secure"], held["path"]) == (True, "Lax", False, "/")
    owner = cookie.owner(cookie_of(tab))
    assert owner is not None
    tab.page.reload()
    tab.settled()
    assert cookie.owner(cookie_of(tab)) == owner

    expired = VisitorCookie(SECRET, lambda: 1_000_000_000.0 - LIFETIME).header(owner, secure=False)
    forged = VisitorCookie(SECRET + "x").header(owner, secure=False)
    for header in (expired, forged):
        value = header.partition(";")[0].partition("=")[2]
        tab.page.context.add_cookies([{"name": cookie.name, "value": value, "url": app.url}])
        tab.page.reload()
        tab.settled()
        assert cookie.owner(cookie_of(tab)) not in (None, owner)
    answers = []
    for scheme in ("http", "https"):
        asked = urllib.request.Request(app.url, headers={"X-Forwarded-Proto": scheme})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            answers.append((answer.headers["Set-Cookie"].endswith("; Secure"), answer.headers["Cache-Control"]))
    assert answers == [(False, "private, no-store"), (True, "private, no-store")]
