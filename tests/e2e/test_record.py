"""An unchanged script that uses the real SDK shows up in an open tab after one line was changed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import openai
import pytest
from playwright.sync_api import expect

from tests.support.app.app_process import App
from tests.support.app.browser import Chat
from tests.support.servers.typist import Typist

pytestmark = pytest.mark.browser


@pytest.mark.own_app
def test_a_script_is_recorded_live(app: App, open_tab: Callable[..., Chat], typist: Typist) -> None:
    tab = open_tab(app, path="/record", width=390)
    tab.sees("Nothing recorded yet")
    with openai.OpenAI(base_url=f"{app.url}/v1", api_key="sk-of-the-script", max_retries=0) as client:
        with pytest.raises(openai.PermissionDeniedError):
            client.chat.completions.create(model="typist-1", messages=[{"role": "user", "content": "Hello"}])
        tab.page.get_by_text("Record requests").click()
        tab.sees("Recording, until the app stops")
        tab.page.get_by_role("combobox", name="OpenAI's protocol goes to").click()
        tab.page.get_by_role("option", name="OpenAI", exact=True).click()
        tab.settled()
        typist.words, typist.first_word_gate = 3, threading.Event()
        stream = threading.Thread(
            target=lambda: list(
                client.chat.completions.create(
                    model="typist-1", messages=[{"role": "user", "content": "Hello"}], stream=True
                )
            )
        )
        stream.start()
        tab.sees("on its way")
        typist.first_word_gate.set()
        stream.join(30)
        tab.sees("1 message sent")
        tab.page.get_by_role("link", name="typist-1 · Chat Completions").click()
        tab.sees("Everything was sent: the only message")
        tab.sees("matches what was sent")
        messages: list[openai.types.chat.ChatCompletionMessageParam] = [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": typist.text()},
            {"role": "user", "content": "And now?"},
        ]
        tab.page.goto(tab.page.url.split("&turn=")[0])
        tab.settled()
        stream = threading.Thread(
            target=lambda: list(client.chat.completions.create(model="typist-1", messages=messages, stream=True))
        )
        stream.start()
        stream.join(30)
        expect(tab.page.get_by_text("turn 2").first).to_be_visible()
    assert typist.requests[-1]["messages"] == messages
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
