"""Sizes of messages add up exactly to what a llama.cpp server counts; other servers have no such counter."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.messages import Message, assistant, system, user
from lib.providers import ChatRequest, Reply
from lib.providers.llama.counter import LlamaCounter, forget_servers
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.tokens.counted import NON_TEXT_PART
from tests.support.cases.llama_counting import (
    conversations,
    counter_of,
    recording_counter,
    server_with_template,
    sum_of_sizes,
    texts,
)


@pytest.fixture(autouse=True)
def no_server_is_known_yet() -> None:
    forget_servers()


@pytest.mark.model
@given(conversation=conversations)
def test_the_sizes_add_up_to_the_servers_count(model: LocalModel, conversation: list[Message]) -> None:
    counted = LocalProvider(model).count(ChatRequest(model.name, conversation, 1))
    assert sum_of_sizes(counter_of(model), conversation) == counted


@pytest.mark.model
@settings(max_examples=5)
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
    for odd in (Message("user", 5), Message("assistant", {"a": [1, None]})):
        assert counter_of(model).count(odd) == counter_of(model).count(user(odd.text)) - 5 or not odd.text


@pytest.mark.model
def test_the_data_of_an_image_is_neither_sent_to_the_server_nor_counted(model: LocalModel) -> None:
    sizes = [
        counter_of(model).count(
            Message("user", [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'A' * length}"}}])
        )
        for length in (4, 40_000)
    ]
    assert sizes == [counter_of(model).count(Message("user", [])) + NON_TEXT_PART] * 2
    assert counter_of(model).count(Message("user", [float("nan")])) == sizes[0]


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
