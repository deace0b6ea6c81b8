"""Asking why the cache missed, with the real SDKs: sent only when on and only where there is a field for it."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from typing import Any, get_type_hints

import pytest

from lib.chat.rebuild import matches_what_was_sent
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import InvalidRequest
from lib.history.memory import InMemoryHistory
from lib.messages import user
from lib.providers import CacheQuestion, ChatRequest, Provider, Reply
from lib.providers.anthropic import AnthropicProvider
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from lib.stored_turns import read_turn
from tests.support.servers.claude_server import ClaudeServer
from tests.support.servers.replay_server import Replay, message_events
from tests.support.waiting import wait_until

SID = "session-1"
ON = ChatSettings("claude", "m", "Be brief.", 4096, 64, "oldest_first", cache_diagnostics=True)
REQUEST = ChatRequest("m", (user("hello"),), 9)


def claude(url: str) -> AnthropicProvider:
    return AnthropicProvider(Endpoint("claude", "anthropic", "It", base_url=url), "sk-secret")


def answer(replay: Replay, diagnostics: Any) -> Reply:
    """The reply to a request that asked and was answered with these diagnostics."""
    events = message_events("hi")
    events[0]["message"]["diagnostics"] = diagnostics
    replay.events(*events, named=True)
    provider = claude(replay.url)
    *_, reply = provider.stream(provider.prepare(replace(REQUEST, cache_question=CacheQuestion("msg_0"))))
    assert isinstance(reply, Reply)
    return reply


def test_the_installed_sdks_have_the_field_for_messages_and_none_for_chat_completions() -> None:
    from anthropic.resources.messages import Messages
    from openai.types.chat import completion_create_params as chat
    from openai.types.responses import response_create_params as responses

    assert "diagnostics" in inspect.signature(Messages.create).parameters
    assert "comparison_response_id" not in get_type_hints(chat.PromptCacheOptions)
    assert "comparison_response_id" in get_type_hints(responses.PromptCacheOptions)


def test_off_is_not_sent_and_on_is_the_last_field() -> None:
    provider = claude("http://127.0.0.1:9")
    off = provider.prepare(REQUEST).body
    assert "diagnostics" not in off
    for previous in (None, "msg_1"):
        on = provider.prepare(replace(REQUEST, cache_question=CacheQuestion(previous))).body
        assert list(on) == [*off, "diagnostics"]
        assert on["diagnostics"] == {"previous_message_id": previous}


@pytest.mark.parametrize(
    "provider",
    [
        OpenAIProvider(Endpoint("openai", "openai", "OpenAI"), None),
        OpenAIProvider(Endpoint("vllm", "openai", "vLLM", "http://127.0.0.1:8000/v1"), None),
        LocalProvider(LocalModel()),
    ],
)
def test_chat_completions_are_sent_the_same_bytes(provider: Provider) -> None:
    asked = provider.prepare(replace(REQUEST, cache_question=CacheQuestion("chat-1")))
    assert asked.data == provider.prepare(REQUEST).data
    assert not asked.unsent


@pytest.mark.parametrize(
    "said",
    [
        {"cache_miss_reason": {"type": "messages_changed", "cache_missed_input_tokens": 1180}},
        {"cache_miss_reason": {"type": "moon_phase", "since": [1, 2]}},
        {"cache_miss_reason": None},
        {"something": {"else": "entirely"}},
    ],
)
def test_an_answer_is_kept_as_it_came_and_read_back_from_the_store(replay: Replay, said: dict[str, Any]) -> None:
    reply = answer(replay, said)
    assert reply.text == "hi"
    assert reply.reply_id == "msg-1"
    assert reply.cache_diagnosis == said
    assert not reply.note
    turn = read_turn({"cache_diagnosis": json.loads(json.dumps(reply.cache_diagnosis)), "reply_id": "msg-1"}, 1)
    assert (turn.cache_diagnosis, turn.reply_id) == (said, "msg-1")
    assert "cache diagnosis" not in turn.note


def test_an_answer_of_another_kind_is_kept_too_and_a_very_large_one_is_told(replay: Replay) -> None:
    assert answer(replay, "why not").cache_diagnosis == {"value": "why not"}
    assert answer(replay, None).cache_diagnosis == {}
    large = answer(replay, {"cache_miss_reason": {"type": "x" * 5_000}})
    assert large.text == "hi"
    assert large.cache_diagnosis == {}
    assert "diagnostics as an object" in large.note


def test_a_chat_names_each_reply_in_the_next_request_and_stores_what_is_said() -> None:
    with ClaudeServer() as server:
        chat = ChatService(InMemoryHistory(3600))
        for settings in (ON, ON, replace(ON, system_prompt="Be long."), replace(ON, cache_diagnostics=False), ON):
            before = len(chat.store.turns(SID))
            chat.send(SID, "hello", settings, lambda _: claude(server.url))
            wait_until(lambda: len(chat.store.turns(SID)) > before)  # noqa: B023 - called before the loop goes on
        bodies = [body.get("diagnostics", "not sent") for body in server.bodies]
        named = [each if each == "not sent" else each["previous_message_id"] for each in bodies]
        turns = chat.store.turns(SID)
        ids = [turn.reply_id for turn in turns]
        assert named == [None, ids[0], ids[1], "not sent", None]
        assert [bool(turn.cache_diagnosis) for turn in turns] == [False, False, True, False, False]
        assert turns[2].cache_diagnosis["cache_miss_reason"]["type"] == "system_changed"
        assert "cache_diagnosis" not in turns[3].to_dict()
        history = chat.store.load(SID)
        assert all(matches_what_was_sent(turn, history, claude(server.url)) for turn in turns)


def test_a_server_that_refuses_the_field_says_so_in_words() -> None:
    with ClaudeServer() as server:
        server.refuses_diagnostics = True
        provider = claude(server.url)
        with pytest.raises(InvalidRequest) as caught:
            list(provider.stream(provider.prepare(replace(REQUEST, cache_question=CacheQuestion()))))
    assert caught.value.setting == "cache_diagnostics"
    assert caught.value.what.startswith("It refused the cache diagnostics: diagnostics: Extra inputs")
    assert caught.value.next_step == "Turn it off, then retry."
    assert ON.sets(caught.value.setting)
    assert not ON.without("cache_diagnostics").cache_diagnostics
