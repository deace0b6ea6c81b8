"""Sizes of messages add up exactly to what a llama.cpp server counts; other servers have no such counter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import ChatError, ProviderUnavailable, WrongKey
from lib.messages import Message, assistant, system, user
from lib.providers import ChatRequest, Reply
from lib.providers.anthropic import AnthropicProvider
from lib.providers.llama.counter import LearnedModel, LlamaCounter, known_counter
from lib.providers.llama.process import ChildAddress, LocalModel, LocalProvider, packaged_model
from lib.providers.llama.server import Ask
from lib.providers.openai import OpenAIProvider
from lib.providers.scripted import ScriptedProvider
from lib.settings import Endpoint
from tests.support.cases.conversations import histories
from tests.support.servers.replay_server import Replay

ROOT = Path(__file__).parents[2]

fragments = [
    "<|im_start|>",
    "<|im_end|>",
    "<|im_start",
    "|im_end|>",
    "<|endoftext|>",
    "<think>\n",
    "</think>",
    "\n",
    "  ",
    "\t",
    "😀",
    "\ud83d",
    "\ude00",
    "日本語",
    "Ünïcode",
    "שלום",
    "a\u0301",
    "\x00",
    "{{ x }}",
    "x" * 300,
    "hello ",
]
texts = st.lists(st.sampled_from(fragments) | st.text(max_size=8), max_size=6).map("".join)
text_messages = st.builds(
    Message, st.sampled_from(["system", "developer", "user", "assistant", "tool", "critic"]), texts
)
part_messages = st.builds(
    Message,
    st.sampled_from(["user", "assistant"]),
    st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": texts}), max_size=3),
)


def is_accepted(message: Message) -> bool:
    """This server refuses calls and results without an id, and content that only Anthropic's endpoint knows."""
    known = isinstance(message.content, str | None) or all(part["type"] == "text" for part in message.content)
    calls = message.extra.get("tool_calls", ())
    return known and message.extra.get("tool_call_id", "") is not None and all(call["id"] is not None for call in calls)


accepted = histories().map(lambda history: [message for message in history if is_accepted(message)])
conversations = st.builds(
    lambda history, prompt: [*history, user(prompt)],
    st.lists(text_messages | part_messages, max_size=6) | accepted,
    texts,
)


def sum_of_sizes(counter: LlamaCounter, conversation: Sequence[Message]) -> int:
    return sum(counter.count_many(conversation)) + counter.template(conversation[0].is_system)


def counter_of(model: LocalModel) -> LlamaCounter:
    counter = LocalProvider(model).counter()
    assert isinstance(counter, LlamaCounter)
    return counter


def recording_counter(counter: LlamaCounter, model: LocalModel) -> tuple[LlamaCounter, list[str]]:
    """A counter that has learned the same and counted nothing yet, and the addresses it asks."""
    asked: list[str] = []
    server = configured_endpoint(model.ensure())

    def ask(path: str, body: Mapping[str, Any] | None) -> Any:
        asked.append(path)
        return server.ask_root(path, body)

    return LlamaCounter(ask, "it", LearnedModel(counter.learned.model, counter.learned.template)), asked


def configured_endpoint(address: ChildAddress, key: str | None = None) -> OpenAIProvider:
    """The same server as a configured endpoint."""
    key = key or address.key
    return OpenAIProvider(Endpoint("mine", "openai", "Mine", base_url=f"{address.url}/v1", key=address.key), key)


@pytest.fixture(autouse=True)
def no_server_is_known_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.providers.llama.counter._servers", {})


@pytest.mark.model
@given(conversation=conversations)
def test_the_sizes_add_up_to_the_servers_count(model: LocalModel, conversation: list[Message]) -> None:
    counted = LocalProvider(model).count(ChatRequest(model.name, conversation, 1))
    assert sum_of_sizes(counter_of(model), conversation) == counted


@pytest.mark.model
@settings(max_examples=15)
@given(conversation=conversations)
def test_the_sizes_add_up_to_the_usage_of_a_real_reply(model: LocalModel, conversation: list[Message]) -> None:
    provider = LocalProvider(model)
    reply = list(provider.stream(provider.prepare(ChatRequest(model.name, conversation, 1))))[-1]
    assert isinstance(reply, Reply)
    assert sum_of_sizes(counter_of(model), conversation) == reply.usage.input_tokens


@pytest.mark.model
@given(conversation=conversations)
def test_counting_together_equals_counting_one_by_one(model: LocalModel, conversation: list[Message]) -> None:
    together, _ = recording_counter(counter_of(model), model)
    alone, _ = recording_counter(together, model)
    assert together.count_many(conversation) == [alone.count(message) for message in conversation]


@pytest.mark.model
def test_sizes_are_those_of_the_blocks_of_its_template(model: LocalModel) -> None:
    counter = counter_of(model)
    assert counter.name == "llama.cpp SmolLM2-135M-Instruct"
    assert counter.provenance == "counted"
    assert counter.template(has_system=True) == 4  # "<|im_start|>assistant\n"
    assert counter.template(has_system=False) == 4 + 21  # and the system message that the template adds
    assert counter.count_many([system(""), user(""), assistant(""), user("hi")]) == [5, 5, 6, 6]


@pytest.mark.model
def test_only_messages_never_counted_before_are_sent(model: LocalModel) -> None:
    counter, asked = recording_counter(counter_of(model), model)
    history = [(user, assistant)[place % 2](f"message {place} " * (1 + place % 40)) for place in range(2000)]
    sizes = counter.count_many(history)
    assert asked == ["/tokenize"] * len(asked)
    assert len(asked) < 10
    asked.clear()
    assert counter.count_many([Message.from_dict(message.to_dict()) for message in history]) == sizes
    assert asked == []
    assert counter.count_many([*history, user("a new one")]) == [*sizes, 8]
    assert asked == ["/tokenize"]


@pytest.mark.model
def test_only_so_many_sizes_are_remembered(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.providers.llama.counter.KEPT_COUNTS", 10)
    counter, asked = recording_counter(counter_of(model), model)
    history = [user(f"message {place}") for place in range(25)]
    counter.count_many(history)
    asked.clear()
    counter.count_many(history[-10:])
    assert asked == []
    counter.count(history[0])
    assert asked == ["/tokenize"]


@pytest.mark.model
def test_texts_that_only_start_alike_have_their_own_sizes(model: LocalModel) -> None:
    counter = counter_of(model)
    assert counter.count_many(
        [user("a " * 500), user("a " * 501), assistant("a " * 500), user("a " * 499 + "\ud83d")]
    ) == [
        counter.count(message)
        for message in (user("a " * 500), user("a " * 501), assistant("a " * 500), user("a " * 499 + "\ufffd"))
    ]
    assert counter.count(user("a " * 501)) == counter.count(user("a " * 500)) + 1


@pytest.mark.model
def test_a_message_the_server_refuses_has_the_size_of_its_text(model: LocalModel) -> None:
    image = Message("user", [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}])
    for odd in (image, Message("user", 5), Message("assistant", {"a": [1, None]}), Message("user", [float("nan")])):
        assert counter_of(model).count(odd) == counter_of(model).count(user(odd.text)) - 5 or not odd.text


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


SERVE = """
import json, os, sys
import xllamacpp
from lib.providers.llama.child import configure
config = json.loads(sys.stdin.readline())
parameters = configure(xllamacpp.CommonParams(), config)
parameters.chat_template, parameters.use_jinja = config["template"], True
server = xllamacpp.Server(parameters)
print(json.dumps(server.listening_address), flush=True)
sys.stdin.read()
os._exit(0)
"""


@contextmanager
def server_with_template(template: str) -> Iterator[OpenAIProvider]:
    """A real server with another chat template."""
    config = {
        "model": str(packaged_model()),
        "name": "other",
        "key": "key",
        "slots": 1,
        "slot_tokens": 512,
        "threads": 1,
    }
    with subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps({**config, "template": template}) + "\n")
        child.stdin.flush()
        yield configured_endpoint(ChildAddress(json.loads(child.stdout.readline()), "key"))
        child.stdin.close()


EACH = "{% for m in messages %}"
END = "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
NO_THOUGHTS = (
    "{% set c = m.content %}{% if m.role == 'assistant' and '</think>' in c %}{% set c ="
    " c.split('</think>')[-1].lstrip('\n') %}{% endif %}"
)
LEAD_ONLY = (
    "{% if m.role == 'system' and not loop.first %}{{ raise_exception('System message must come first.') }}{% endif %}"
)
ALTERNATE = (
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate.') }}{% endif %}"
)


@pytest.mark.model
@pytest.mark.parametrize(
    "template",
    [
        pytest.param(EACH + "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n" + END, id="plain"),
        pytest.param(EACH + "<|im_start|>{{ m.role }}\n\n{{ m.content | trim }}<|im_end|>" + END, id="trims"),
        pytest.param(EACH + NO_THOUGHTS + "<|im_start|>{{ m.role }}\n{{ c }}<|im_end|>\n" + END, id="drops thoughts"),
        pytest.param(EACH + LEAD_ONLY + "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n" + END, id="lead only"),
        pytest.param(
            "<|im_start|>system\nHi.<|im_end|>\n"
            + EACH
            + "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
            + END,
            id="adds",
        ),
    ],
)
def test_other_templates_are_learned_too(template: str) -> None:
    with server_with_template(template) as provider:
        counter = provider.counter()
        assert isinstance(counter, LlamaCounter)

        @settings(max_examples=40)
        @given(
            st.none() | texts, st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), texts), max_size=5)
        )
        def adds_up(lead: str | None, history: list[Message]) -> None:
            conversation = [*([] if lead is None else [system(lead)]), *history, user("the last")]
            counted = provider.count(ChatRequest("m", conversation, 1))
            assert sum_of_sizes(counter, conversation) == counted

        adds_up()


@pytest.mark.model
@pytest.mark.parametrize(
    "template",
    [
        pytest.param(EACH + ALTERNATE + "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n" + END, id="alternates"),
        pytest.param(
            EACH + "<|im_start|>{{ m.role }} {{ loop.index }}\n{{ m.content }}<|im_end|>\n" + END, id="numbers them"
        ),
        pytest.param(EACH + "{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:", id="without control tokens"),
    ],
)
def test_a_template_that_is_no_sum_of_messages_has_no_counter_but_requests_are_counted(template: str) -> None:
    with server_with_template(template) as provider:
        assert provider.counter() is None
        assert provider.count(ChatRequest("m", [user("hello")], 1))


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
