"""Generation settings in the chat: empty is not sent, and one that is refused is turned off in one click."""

from __future__ import annotations

import json
from dataclasses import replace

from lib.chat.service import ChatService
from lib.errors import InvalidRequest
from lib.generation import OFF, Generation
from lib.turns import LiveTurn
from lib.ui.shell import services, session_settings
from tests.support.app.pages import SESSION, page, settings
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until

OPEN = {f"{SESSION}:generation_panel": True}
FIELDS = f"{SESSION}:generation_fields"


def stored(chat: ChatService) -> Generation:
    return session_settings.restored(chat.store.about(SESSION).settings).generation


def test_what_is_set_is_stored_and_what_is_emptied_is_off_again(chat: ChatService) -> None:
    at = page(state=OPEN)
    assert at.number_input(key=f"{FIELDS}:temperature").value is None
    at.number_input(key=f"{FIELDS}:temperature").set_value(0.0).run()
    at.number_input(key=f"{FIELDS}:seed").set_value(7).run()
    at.selectbox(key=f"{FIELDS}:reasoning_effort").select("low").run()
    at.number_input(key=f"{FIELDS}:max_reply_tokens").set_value(64).run()
    assert not at.exception, at.exception
    assert stored(chat) == Generation(temperature=0.0, seed=7, reasoning_effort="low", max_reply_tokens=64)
    assert at.number_input(key=f"{SESSION}:reserved_for_reply").disabled
    for name in ("temperature", "seed", "max_reply_tokens"):
        at.number_input(key=f"{FIELDS}:{name}").set_value(None).run()
    at.selectbox(key=f"{FIELDS}:reasoning_effort").set_value(None).run()
    assert stored(chat) == OFF


def test_a_message_is_sent_with_them_and_the_turn_records_them(chat: ChatService, typist: Typist) -> None:
    chosen = settings(generation=Generation(temperature=0.5, stop=("END",), max_reply_tokens=32))
    chat.store.save_settings(SESSION, chosen.to_dict())
    at = page()
    at.chat_input[0].set_value("hello").run()
    wait_until(lambda: bool(chat.store.turns(SESSION)))
    turn = chat.store.turns(SESSION)[0]
    assert (turn.request["temperature"], turn.request["stop"], turn.request["max_tokens"]) == (0.5, ["END"], 32)
    assert turn.plan is not None
    assert turn.plan.reserved_for_reply == 32
    assert "top_p" not in json.dumps(turn.request)
    assert not at.exception, at.exception


def test_a_refused_setting_is_turned_off_and_sent_again_in_one_click(chat: ChatService) -> None:
    chosen = settings(generation=Generation(temperature=0.5, seed=7))
    chat.store.save_settings(SESSION, chosen.to_dict())
    error = InvalidRequest("It refused the temperature: not with this model.")
    error.setting = "temperature"
    live = LiveTurn("hello", chosen, "test", 1.0)
    chat.store.begin(SESSION, live)
    chat.store.heartbeat(SESSION, replace(live, error=error))
    at = page()
    button = at.button(key="turn_off")
    assert button.label == "Turn temperature off, then send"
    button.click().run()
    wait_until(lambda: bool(chat.store.turns(SESSION)))
    assert stored(chat) == Generation(seed=7)
    request = chat.store.turns(SESSION)[0].request
    assert "temperature" not in request
    assert request["seed"] == 7


def test_a_setting_that_the_protocol_does_not_have_is_refused_before_anything_is_sent(chat: ChatService) -> None:
    chosen = replace(session_settings.defaults("anthropic"), generation=Generation(seed=7))
    chat.store.save_settings(SESSION, chosen.to_dict())
    chat.send(SESSION, "hello", chosen, lambda asked: services.provider_of(asked, "sk-none"))
    wait_until(lambda: (live := chat.live(SESSION)) is not None and live.interrupted)
    live = chat.live(SESSION)
    assert live is not None
    assert isinstance(live.error, InvalidRequest)
    assert live.error.setting == "seed"
