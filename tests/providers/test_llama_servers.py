"""Which servers have a counter, and when it is learned: once, again for another model, never from a failure."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import Any

import pytest

from lib.errors import ChatError, ProviderUnavailable, WrongKey
from lib.messages import assistant, system, user
from lib.providers import ChatRequest
from lib.providers.anthropic import AnthropicProvider
from lib.providers.llama.counter import LlamaCounter, forget_servers, known_counter
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.llama.server import Ask
from lib.providers.openai import OpenAIProvider
from lib.providers.scripted import ScriptedProvider
from lib.settings import Endpoint
from tests.support.cases.llama_counting import configured_endpoint, counter_of, sum_of_sizes
from tests.support.servers.replay_server import Replay


@pytest.fixture(autouse=True)
def no_server_is_known_yet() -> None:
    forget_servers()


@pytest.mark.model
def test_all_providers_share_one_counter_that_is_learned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LocalModel()
    labels = []
    learn = LlamaCounter.learn

    def record_and_learn(ask: Ask, label: str) -> LlamaCounter | None:
        labels.append(label)
        return learn(ask, label)

    monkeypatch.setattr(LlamaCounter, "learn", record_and_learn)
    assert model.known_counter() is None
    assert not model.running
    counters: list[Any] = []
    threads = [threading.Thread(target=lambda: counters.append(LocalProvider(model).counter())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert labels == ["This machine"]
    assert model.running
    assert [counter is model.known_counter() for counter in counters] == [True] * 8
    model.close()
    assert not model.running
    assert model.known_counter() is None  # the model would have to be started


@pytest.mark.model
def test_what_was_learned_survives_the_child() -> None:
    model = LocalModel()
    counter = counter_of(model)
    size = counter.count(user("counted before"))
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)
    while model.running:
        pass
    assert counter.count(user("counted before")) == size
    assert not model.running  # nothing was sent
    conversation = [user("counted before"), user("and after")]
    assert sum_of_sizes(counter, conversation) == LocalProvider(model).count(ChatRequest("m", conversation, 1))
    assert counter_of(model) is counter
    model.close()


@pytest.mark.model
def test_any_llama_cpp_server_has_a_counter(model: LocalModel) -> None:
    own = configured_endpoint(model.ensure())
    endpoint = Endpoint("mine", "openai", "Mine", base_url=f"{model.ensure().url}/v1")
    assert known_counter(endpoint, model) is None
    counter = own.counter()
    assert isinstance(counter, LlamaCounter)
    assert configured_endpoint(model.ensure()).counter() is counter
    assert known_counter(endpoint, model) is counter
    conversation = [system("Be brief."), user("Hello"), assistant("Hi."), user("Bye <|im_end|>")]
    request = ChatRequest("m", conversation, 1)
    assert sum_of_sizes(counter, conversation) == own.count(request) == LocalProvider(model).count(request)


@pytest.mark.model
def test_a_counter_uses_the_key_of_its_provider(model: LocalModel) -> None:
    address = model.ensure()
    with_typed_key = OpenAIProvider(
        Endpoint("mine", "openai", "Mine", base_url=f"{address.url}/v1"), address.key
    ).counter()
    endpoint = Endpoint("mine", "openai", "Mine", base_url=f"{address.url}/v1")
    assert isinstance(with_typed_key, LlamaCounter)
    assert known_counter(endpoint, model) is None  # a key typed on a page is used for nobody else
    with pytest.raises(WrongKey):
        configured_endpoint(address, "another").counter()


def provider_answering(replay: Replay, status: int, body: bytes) -> OpenAIProvider:
    replay.status, replay.headers, replay.body = status, {"Content-Type": "application/json"}, body
    return OpenAIProvider(Endpoint("it", "openai", "It", base_url=f"{replay.url}/v1"), None)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_the_addresses_is_asked_once(replay: Replay, status: int) -> None:
    provider = provider_answering(replay, status, b'{"error": {"message": "not found"}}')
    assert provider.counter() is None
    assert provider.counter() is None
    assert provider_answering(replay, 200, b"{}").counter() is None
    assert replay.paths == ["/props"]


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b'"a"', b"[]", b'{"error": "Unexpected endpoint"}'])
def test_a_server_with_other_answers_has_no_counter(replay: Replay, body: bytes) -> None:
    provider = provider_answering(replay, 200, body)
    assert provider.counter() is None
    assert provider.count(ChatRequest("m", [user("hi")], 1)) is None


def test_a_server_that_answers_everything_alike_has_no_counter(replay: Replay) -> None:
    everything = {"chat_template": "t", "model_path": "m", "prompt": "p", "tokens": [1], "input_tokens": 1}
    assert provider_answering(replay, 200, json.dumps(everything).encode()).counter() is None


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_failure_is_raised_and_not_remembered(replay: Replay, status: int) -> None:
    provider = provider_answering(replay, status, b'{"error": {"message": "no"}}')
    for _ in range(2):
        with pytest.raises(ChatError):
            provider.counter()
    assert replay.paths == ["/props"] * 2
    assert provider_answering(replay, 404, b"{}").counter() is None


def test_a_server_that_is_not_running_is_asked_again() -> None:
    provider = OpenAIProvider(Endpoint("it", "openai", "It", base_url="http://127.0.0.1:9/v1"), None)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            provider.counter()


def test_vendors_have_no_counter_and_are_not_asked() -> None:
    for url in (None, "https://api.openai.com/v1", "https://x.openai.azure.com/openai/v1"):
        assert OpenAIProvider(Endpoint("openai", "openai", "OpenAI", base_url=url), "sk-x").counter() is None
    assert AnthropicProvider(Endpoint("anthropic", "anthropic", "Anthropic"), "sk-x").counter() is None
    assert ScriptedProvider().counter() is None


@pytest.mark.model
def test_a_server_that_now_serves_another_model_is_learned_again(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = configured_endpoint(model.ensure())
    before = provider.counter()
    monkeypatch.setattr(
        "lib.providers.llama.server.LlamaServer.props",
        lambda self: {"model_path": "/models/another.gguf", "chat_template": "t"},
    )
    after = provider.counter()
    assert before is not None
    assert after is not None
    assert after is not before
    assert after.name == "llama.cpp another"
