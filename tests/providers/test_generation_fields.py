"""Generation settings in each protocol: the right names, nothing that is off, and a hash that can be rebuilt."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace

import anthropic
import pytest

from lib.generation import OFF, Generation
from lib.messages import user
from lib.providers import ChatRequest, Provider
from lib.providers.anthropic import AnthropicProvider
from lib.providers.generation_fields import ANTHROPIC_VERSION, chat_fields, messages_fields
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint

ALL = Generation(0.5, 0.9, 7, 50, "low", ("END", "\ud83d"))
ANSWER = ChatRequest("m", (user("hello"),), 50)
OPENAI = OpenAIProvider(Endpoint("openai", "openai", "OpenAI"), None)
OTHER = OpenAIProvider(Endpoint("vllm", "openai", "vLLM", "http://127.0.0.1:8000/v1"), None)
MISTRAL = OpenAIProvider(Endpoint("mistral", "openai", "Mistral", "https://api.mistral.ai/v1"), None)
CLAUDE = AnthropicProvider(Endpoint("anthropic", "anthropic", "Anthropic"), None)
LIKE_CLAUDE = AnthropicProvider(Endpoint("ogx", "anthropic", "ogx", "http://127.0.0.1:8321"), None)
LOCAL = LocalProvider(LocalModel())


def fields_of(provider: Provider, generation: Generation) -> dict[str, object]:
    """What the settings add to a request's bytes, or change in them."""
    with_them = json.loads(provider.prepare(replace(ANSWER, generation=generation)).data)
    before = json.loads(provider.prepare(ANSWER).data)
    return {name: value for name, value in with_them.items() if name not in before or before[name] != value}


@pytest.mark.parametrize("provider", [OPENAI, OTHER, LOCAL])
def test_chat_completions_have_all_of_them(provider: Provider) -> None:
    assert fields_of(provider, ALL) == {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "reasoning_effort": "low",
        "stop": ["END", "�"],
    }


def test_mistral_calls_the_seed_otherwise_and_is_sent_nothing_it_does_not_know() -> None:
    body = MISTRAL.prepare(replace(ANSWER, generation=Generation(seed=7))).body
    assert set(body) == {"model", "messages", "max_tokens", "stream", "random_seed"}


def test_anthropic_has_other_names_and_neither_sampling_nor_a_seed() -> None:
    assert fields_of(CLAUDE, ALL) == {"output_config": {"effort": "low"}, "stop_sequences": ["END", "�"]}
    assert CLAUDE.prepare(replace(ANSWER, generation=ALL)).unsent == ("temperature", "top_p", "seed")


def test_another_server_of_its_protocol_may_take_a_temperature() -> None:
    assert fields_of(LIKE_CLAUDE, ALL) == {
        "temperature": 0.5,
        "top_p": 0.9,
        "output_config": {"effort": "low"},
        "stop_sequences": ["END", "�"],
    }
    assert LIKE_CLAUDE.prepare(replace(ANSWER, generation=ALL)).unsent == ("seed",)


@pytest.mark.parametrize("provider", [OPENAI, OTHER, MISTRAL, CLAUDE, LOCAL])
def test_off_means_not_sent(provider: Provider) -> None:
    off = provider.prepare(replace(ANSWER, generation=OFF))
    assert off.data == provider.prepare(ANSWER).data
    assert not off.unsent
    assert len(fields_of(provider, Generation(reasoning_effort="low"))) == 1


@pytest.mark.parametrize("provider", [OPENAI, OTHER, MISTRAL, CLAUDE])
def test_they_come_last_so_that_a_turns_record_can_be_written_as_the_same_bytes(provider: Provider) -> None:
    before, after = provider.prepare(ANSWER).body, provider.prepare(replace(ANSWER, generation=ALL)).body
    assert list(after)[: len(before)] == list(before)


def test_the_installed_sdks_know_these_names() -> None:
    from anthropic.resources.messages import Messages
    from openai.resources.chat.completions import Completions

    for method, fields in ((Completions.create, chat_fields(ALL)), (Messages.create, messages_fields(ALL))):
        assert set(fields) <= set(inspect.signature(method).parameters)


def test_the_installed_sdk_asks_for_the_version_that_the_curl_command_names() -> None:
    assert anthropic.Anthropic(api_key="k").default_headers["anthropic-version"] == ANTHROPIC_VERSION
