"""A ChatGPT export becomes a fork, a replay and a class pack on the sessions page, and the pack opens without a key."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.ui.sessions import tabs
from tests.support.app.app_process import App
from tests.support.app.browser import Chat, OpenTab
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist

EXPORT = Path("tests/data/transfer/chatgpt_conversations.json")
TITLE, NOTE = "Context windows, week 3", "Look at message 3."


@pytest.fixture
def elsewhere(folder: Path) -> Iterator[App]:
    """The app on another machine: a store of its own, and no key."""
    own = RedisServer().start()
    with App(folder / "elsewhere", {"REDIS_URL": own.url}) as running:
        yield running
    own.close()
    assert "Traceback" not in running.log.read_text(), running.log.read_text()[-4000:]


def export_zip() -> bytes:
    """What ChatGPT sends when a person asks for their data."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("conversations.json", EXPORT.read_bytes())
        pack.writestr("chat.html", "<html></html>")
    return file.getvalue()


def go_to(tab: Chat, name: str) -> None:
    tab.page.get_by_role("tab", name=name, exact=True).click()
    tab.settled()


def upload(tab: Chat, name: str, data: bytes) -> None:
    go_to(tab, tabs.IMPORT)
    media = "application/zip" if name.endswith("zip") else "application/json"
    tab.page.locator("input[type=file]").set_input_files({"name": name, "mimeType": media, "buffer": data})


def class_pack(tab: Chat) -> bytes:
    """Download the open chat, its replay and its fork as a class pack."""
    go_to(tab, tabs.EXPORT)
    for title in ("Replay of", "1 message)"):
        tab.page.get_by_label("Chats", exact=True).fill(title)
        tab.page.get_by_role("option", name=title).last.click()
        tab.settled()
    tab.page.keyboard.press("Escape")
    tab.page.get_by_label("Title").fill(TITLE)
    tab.page.get_by_label("Note").fill(NOTE)
    tab.page.get_by_label("Note").press("Control+Enter")
    tab.settled()
    tab.click("Make the file")
    with tab.page.expect_download() as download:
        tab.click("Download context-windows-week-3.json")
    return Path(download.value.path()).read_bytes()


def test_from_an_export_to_a_class_pack_without_leaving_the_page(
    app: App, elsewhere: App, typist: Typist, open_tab: OpenTab
) -> None:
    typist.words, typist.seconds_per_word = 4, 0.0
    tab = open_tab(app, None, "/sessions")
    upload(tab, "export.zip", export_zip())
    tab.sees("ChatGPT export with 4 chats")
    tab.click("Import 2 chats")
    tab.sees("2 chats were stored.")
    tab.settled()
    tab.click("Open “A day in Lisbon”")
    tab.sees("4 messages")

    tab.click("Fork from here")
    tab.sees("was forked after message 1")
    tab.settled()
    tab.page.locator("[class*=st-key-relative_open] button").first.click()  # its parent
    tab.sees("There are 38 stops")
    go_to(tab, tabs.REPLAY)
    tab.sees("2 requests: about")
    assert typist.requests == [], "what it takes is said before anything is sent"
    tab.click("Start the replay")
    tab.sees("2 of 2 questions answered")
    asked = [each["messages"][-1]["content"] for each in typist.requests]
    assert asked == ["Plan a day in Lisbon.", "How many stops are on this map?"]
    tab.click("Compare")
    tab.sees("2 of 2 exchanges differ")

    pack = class_pack(tab)
    assert tab.page.url.startswith(f"{app.url}/sessions?")
    assert b"sk-test-typist" not in pack

    other = open_tab(elsewhere, None, "/sessions")
    upload(other, "pack.json", pack)
    other.sees(NOTE)
    other.click("Import 3 chats")
    other.sees("3 chats were stored.")
    other.settled()
    other.click("Open “A day in Lisbon”")
    other.sees("7 messages")
    assert class_pack(other) == pack
    other.click("Replay of")
    go_to(other, tabs.OPEN)
    other.sees("word1 word2 word3 word4")
