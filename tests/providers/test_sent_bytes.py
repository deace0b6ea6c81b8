"""The bytes that are hashed are the bytes that are sent, by every provider and in whole turns."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.chat.rebuild import matches_what_was_sent, rebuild_body
from lib.chat.service import ChatService
from lib.chat.turn_worker import finished_turn
from lib.chat_settings import ChatSettings
from lib.errors import ProviderUnavailable
from lib.history.memory import InMemoryHistory
from lib.messages import Message, assistant, system, user
from lib.providers import ChatRequest, Provider, Reply, SentBody
from lib.providers.anthropic import AnthropicProvider
from lib.providers.llama.process import ChildAddress, LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider
from lib.providers.scripted import Script, ScriptedProvider
from lib.settings import Endpoint
from lib.turns import LiveTurn, Turn
from tests.support.cases.conversations import histories, texts
from tests.support.servers.replay_server import Replay, message_events, says

SID = "session-1"
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
ODD_MESSAGES = (
    system("Be brief."),
    user('Ünïcode 😀 and a cut one \ud83d, "quotes" \\ and \n lines'),
    assistant("Yes."),
    Message("user", [{"type": "text", "text": "a part \udc00"}]),
    Message("assistant", None, {"tool_calls": [CALL]}),
    Message("tool", "4 €", {"tool_call_id": "c1", "timestamp": 7}),
)
ODD_REQUEST = ChatRequest("model-1", ODD_MESSAGES, 99)


class EmbeddedModel(LocalModel):
    """The embedded model, as if its process listened at this address."""

    def __init__(self, url: str) -> None:
        super().__init__(Path("SmolLM2.gguf"))
        self._url = url

    def ensure(self) -> ChildAddress:
        return ChildAddress(self._url, "key")


def openai_provider(url: str) -> Provider:
    return OpenAIProvider(Endpoint("openai", "openai", "It", base_url=f"{url}/v1"), "sk-test")


def anthropic_provider(url: str) -> Provider:
    return AnthropicProvider(Endpoint("anthropic", "anthropic", "It", base_url=url), "sk-ant-test")


OLD_SAMPLING = {"temperature": 0, "repeat_penalty": 1.1, "cache_prompt": True}
"""What earlier versions sent to the local model."""


def local_provider(url: str) -> Provider:
    return LocalProvider(EmbeddedModel(url))


OPENERS = [openai_provider, anthropic_provider, local_provider]


@contextmanager
def recording(kind: str) -> Iterator[Replay]:
    """A server that keeps the raw bytes it receives, and answers "ok" in this protocol."""
    server = Replay()
    if kind == "anthropic":
        server.events(*message_events("ok"), named=True)
    else:
        server.events(says("ok", "stop"))
    threading.Thread(target=server.server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.server.shutdown()
        server.server.server_close()


@pytest.fixture(params=OPENERS, ids=["openai", "anthropic", "local"])
def opened(request: pytest.FixtureRequest) -> Iterator[tuple[Provider, Replay]]:
    """Each adapter with a server that records what it receives."""
    opener: Callable[[str], Provider] = request.param
    with recording("anthropic" if opener is anthropic_provider else "openai") as server:
        yield opener(server.url), server


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def reply_to(provider: Provider, sent: SentBody) -> Reply:
    reply = list(provider.stream(sent))[-1]
    assert isinstance(reply, Reply)
    return reply


requests = st.builds(
    ChatRequest, texts, st.builds(lambda *parts: [*parts[0], user(parts[1])], histories(), texts), st.integers(1, 9999)
)


def test_the_server_receives_exactly_the_hashed_bytes(opened: tuple[Provider, Replay]) -> None:
    provider, server = opened

    @given(request=requests)
    def holds_for(request: ChatRequest) -> None:
        server.received.clear()
        sent = provider.prepare(request)
        assert reply_to(provider, sent).text == "ok"
        assert server.received == [sent.data]
        assert sha256(server.received[0]) == sent.sha256 == provider.prepare(request).sha256
        assert json.loads(server.received[0]) == sent.body

    holds_for()


def conversation_with(messages: Sequence[Message], chat_settings: ChatSettings) -> ChatService:
    """A chat whose session already holds these messages."""
    store = InMemoryHistory(3600)
    live = LiveTurn("earlier", chat_settings, "another", 0.0)
    store.begin(SID, live)
    store.commit(SID, live.id, messages, finished_turn(live, Reply("earlier"), "complete", None))
    return ChatService(store)


def turn_of(chat: ChatService, provider: Provider, prompt: str, chat_settings: ChatSettings) -> Turn:
    """The stored record of one whole turn."""
    live = chat.send(SID, prompt, chat_settings, lambda _: provider, over_budget_allowed=True)
    list(chat.follow(SID, live.id))
    return chat.store.turns(SID)[-1]


def test_a_turn_records_the_hash_of_the_bytes_the_server_received(opened: tuple[Provider, Replay]) -> None:
    provider, server = opened
    chat_settings = ChatSettings(provider.name, "model-1", "Be brief.", 4096, 64, "none")

    @settings(max_examples=25)
    @given(history=histories(), prompt=texts)
    def holds_for(history: list[Message], prompt: str) -> None:
        server.received.clear()
        chat = conversation_with(history, chat_settings)
        turn = turn_of(chat, provider, prompt, chat_settings)
        assert [sha256(received) for received in server.received] == [turn.request_sha256]
        assert matches_what_was_sent(turn, chat.store.load(SID), provider) is True

    holds_for()


def test_a_scripted_turn_records_the_hash_of_the_bytes_it_was_given() -> None:
    provider = ScriptedProvider(Script(["ok"]))
    chat_settings = ChatSettings("scripted", "model-1", "Be brief.", 4096, 64, "none")
    turn = turn_of(conversation_with(ODD_MESSAGES, chat_settings), provider, "and a cut one \ud83d", chat_settings)
    assert [sha256(data) for data in provider.bodies] == [turn.request_sha256]


def test_sending_the_same_body_twice_sends_the_same_bytes(opened: tuple[Provider, Replay]) -> None:
    provider, server = opened
    sent = provider.prepare(ODD_REQUEST)
    for _ in range(2):
        reply_to(provider, sent)
    assert server.received == [sent.data, sent.data]


def test_a_redirected_request_keeps_its_bytes(opened: tuple[Provider, Replay]) -> None:
    provider, server = opened
    sent = provider.prepare(ODD_REQUEST)
    asked = "/v1/messages" if provider.name == "anthropic" else "/v1/chat/completions"
    server.moved = {asked: "/moved"}
    reply_to(provider, sent)
    assert server.paths == [asked, "/moved"]
    assert server.received == [sent.data, sent.data]


class RetryingOpenAI(openai.OpenAI):
    """OpenAI's own client with its own retries, which our adapter turns off."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "max_retries": 2})


class RetryingAnthropic(anthropic.Anthropic):
    """The same for Anthropic's client."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "max_retries": 2})


def test_the_sdks_would_retry_with_the_same_bytes(
    opened: tuple[Provider, Replay], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, server = opened
    server.error(503, {"error": {"message": "busy"}}, **{"retry-after-ms": "1", "x-should-retry": "true"})
    sent = provider.prepare(ODD_REQUEST)
    with pytest.raises(ProviderUnavailable):
        reply_to(provider, sent)
    assert server.received == [sent.data]  # the adapter itself never retries
    monkeypatch.setattr("openai.OpenAI", RetryingOpenAI)
    monkeypatch.setattr("anthropic.Anthropic", RetryingAnthropic)
    with pytest.raises(ProviderUnavailable):
        reply_to(provider, sent)
    assert server.received == [sent.data] * 4


@pytest.mark.parametrize(
    ("provider", "recorded"),
    [
        pytest.param(
            OpenAIProvider(Endpoint("openai", "openai", "OpenAI"), None),
            "cac1e859c956b362dd3f0af5ff6a6919c1f35a59760f44a717a65c8ec105cb8c",
            id="openai",
        ),
        pytest.param(
            openai_provider("http://127.0.0.1:1"),
            "a3812a6caa2698648ee85ed8b3d63bf55f866498d2e4c3c9b45569ca9b768528",
            id="another server of OpenAI's protocol",
        ),
        pytest.param(
            anthropic_provider("http://127.0.0.1:1"),
            "612505211f107fb7309c14eea21fb6072e12f51ca05fd535c5899d4eb589f3ef",
            id="anthropic",
        ),
        pytest.param(
            LocalProvider(EmbeddedModel("http://127.0.0.1:1"), OLD_SAMPLING),
            "c20847bce32d38ff2a3b5992713304a47890819b1aabe62f947762ffabd04394",
            id="local",
        ),
    ],
)
def test_hashes_that_earlier_versions_recorded_still_hold(provider: Provider, recorded: str) -> None:
    assert provider.prepare(ODD_REQUEST).sha256 == recorded


def test_a_turn_sent_with_other_sampling_is_still_rebuilt_as_it_was_sent() -> None:
    chat_settings = ChatSettings("local", "model-1", "Be brief.", 4096, 64, "none")
    with recording("openai") as server:
        before = LocalProvider(EmbeddedModel(server.url), OLD_SAMPLING)
        chat = conversation_with([user("one"), assistant("two")], chat_settings)
        turn = turn_of(chat, before, "three", chat_settings)
        now = local_provider(server.url)
        history = chat.store.load(SID)
        rebuilt = rebuild_body(turn, history, now)
        assert rebuilt is not None
        assert [rebuilt.data] == server.received
        assert matches_what_was_sent(turn, history, now)
        assert not matches_what_was_sent(replace(turn, request={**turn.request, "max_tokens": 65}), history, now)


def test_a_prepared_body_is_json_without_spaces_in_utf8() -> None:
    sent = openai_provider("http://127.0.0.1:1").prepare(ChatRequest("m", (user("ü 😀 \ud83d"),), 9))
    assert sent.data.decode() == (
        '{"model":"m","messages":[{"role":"user","content":"ü 😀 \ufffd"}],"max_tokens":9,"stream":true,'
        '"stream_options":{"include_usage":true}}'
    )
