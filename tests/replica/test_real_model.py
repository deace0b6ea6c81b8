"""The replica with the real embedded model: it remembers because the server holds the conversation."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest

from lib.providers.llama.process import INSTALL, LocalModel, packaged_model
from lib.replica.model import embedded_backend
from lib.replica.server import ReplicaServer
from tests.support.server_history.connected_replica import no_deprecation_warnings

pytestmark = pytest.mark.model
SYSTEM_PROMPT = "You are a helpful assistant."
CODE = "Repeat after me: the secret code is 4711."
QUESTION = "What is the secret code?"


@pytest.fixture(scope="module")
def replica() -> Iterator[ReplicaServer]:
    if packaged_model() is None:
        pytest.skip(f"needs the model file: {INSTALL}")
    model = LocalModel()
    with ReplicaServer(embedded_backend(model), reply_tokens=60) as server:
        yield server
    model.close()


@pytest.fixture
def client(replica: ReplicaServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{replica.url}/v1", api_key=replica.key, max_retries=0) as client:
        yield client


def test_it_remembers_in_a_conversation_and_not_outside_it(client: openai.OpenAI) -> None:
    conversation = client.conversations.create(items=[{"role": "developer", "content": SYSTEM_PROMPT}])
    first = client.responses.create(model="any", input=CODE, conversation=conversation.id)
    counted = client.responses.input_tokens.count(model="any", input=QUESTION, conversation=conversation.id)
    second = client.responses.create(model="any", input=QUESTION, conversation=conversation.id)
    assert "4711" in second.output_text
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.input_tokens == counted.input_tokens > first.usage.input_tokens
    assert second.usage.input_tokens_details.cached_tokens == 0  # read from the beginning, see WHOLE
    alone = client.responses.create(model="any", input=QUESTION, instructions=SYSTEM_PROMPT)
    assert "4711" not in alone.output_text


def test_a_chain_and_a_conversation_cost_the_same_tokens(client: openai.OpenAI) -> None:
    conversation = client.conversations.create()
    previous, sizes = None, []
    for text in ("Hello.", "Name a fruit.", "Another one."):
        chained = client.responses.create(model="any", input=text, previous_response_id=previous, max_output_tokens=16)
        previous = chained.id
        answer = chained.output_text
        client.conversations.items.create(conversation.id, items=[{"role": "user", "content": text}])
        count = client.responses.input_tokens.count(model="any", conversation=conversation.id, input=[])
        client.conversations.items.create(conversation.id, items=[{"role": "assistant", "content": answer}])
        assert chained.usage is not None
        sizes.append((chained.usage.input_tokens, count.input_tokens))
    assert all(chain_tokens == conversation_tokens for chain_tokens, conversation_tokens in sizes)


def test_an_assistants_thread_remembers(client: openai.OpenAI) -> None:
    with no_deprecation_warnings():
        assistant = client.beta.assistants.create(model="any", instructions=SYSTEM_PROMPT)
        thread = client.beta.threads.create(messages=[{"role": "user", "content": CODE}])
        first = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        client.beta.threads.messages.create(thread.id, role="user", content=QUESTION)
        with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
            text = "".join(stream.text_deltas)
            second = stream.get_final_run()
    assert "4711" in text
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.prompt_tokens > first.usage.prompt_tokens


def test_a_message_thread_remembers(replica: ReplicaServer) -> None:
    with anthropic.Anthropic(base_url=replica.url, api_key=replica.key, max_retries=0) as claude:
        thread = claude.beta.messages.thread(model="any", max_tokens=60, system=SYSTEM_PROMPT)
        first = thread.send({"role": "user", "content": CODE})
        second = thread.send({"role": "user", "content": QUESTION})
    assert "4711" in second.model_dump()["content"][0]["text"]
    totals = [reply.usage.input_tokens + (reply.usage.cache_read_input_tokens or 0) for reply in (first, second)]
    assert totals[1] > totals[0]


def test_a_real_overflow_is_worded_as_at_openai(client: openai.OpenAI, replica: ReplicaServer) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="any", input="hello " * (replica.window + 100))
    assert caught.value.code == "context_length_exceeded"
