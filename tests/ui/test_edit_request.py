"""A recorded request is edited on the context-window page and sent again, as a chat of its own."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.ui.context_window import tabs
from tests.support.app.pages import SESSION, page, settings
from tests.support.servers.typist import Typist


def opened() -> AppTest:
    at = page("pages/context_window.py", state={"context_window_tab": tabs.SENT, "sent:edit": True})
    assert not at.exception, at.exception
    return at


def talked(chat: ChatService, *prompts: str) -> None:
    chat.store.save_settings(SESSION, settings().to_dict())
    at = page()
    for prompt in prompts:
        at.chat_input(key="prompt").set_value(prompt).run()


def test_the_edited_request_is_sent_as_it_was_typed_and_the_chat_stays(chat: ChatService, typist: Typist) -> None:
    talked(chat, "My code is 1234.", "What is my code?")
    before = chat.store.raw(SESSION)
    at = opened()
    (field,) = at.text_area
    body = json.loads(field.value or "")
    body["messages"][-1]["content"] = "What is the capital of France?"
    body["temperature"] = 0.25
    field.set_value(json.dumps(body)).run()
    assert any("Also sent: temperature" in caption.value for caption in at.caption)
    at.button(key="sent:resend").click().run()
    assert not at.exception, at.exception
    (new_id,) = [each.session_id for each in chat.store.sessions(10) if each.session_id != SESSION]
    live = chat.live(new_id)
    for _ in chat.follow(new_id, live.id) if live else ():
        pass
    typed = [message["content"] for message in body["messages"] if message["role"] != "system"]
    assert [message.text for message in chat.store.load(new_id)][:-1] == typed
    assert chat.store.turns(new_id)[0].request["temperature"] == 0.25
    assert json.loads(typist.bodies[-1])["temperature"] == 0.25
    assert chat.store.raw(SESSION) == before


def test_what_is_no_request_says_where_and_offers_no_button(chat: ChatService) -> None:
    talked(chat, "Hello")
    at = opened()
    at.text_area[0].set_value('{"messages": [').run()
    assert "line 1" in at.error[0].value
    assert not [button for button in at.button if button.key == "sent:resend"]
    assert len(chat.store.sessions(10)) == 1
