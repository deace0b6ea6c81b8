"""The replica with the real embedded model behind it: it remembers because the server holds the conversation."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest

from lib.providers.llama.process import INSTALL, LocalModel, packaged_model
from lib.replica.model import embedded
from lib.replica.server import ReplicaServer
from lib.ui.chat.welcome import CODE, FOLLOW_UPS
from lib.ui.shell.services import SYSTEM_PROMPT
from tests.support.replica_rig import deprecated

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def replica() -> Iterator[ReplicaServer]:
    if packaged_model() is None:
        pytest.skip(f"needs the model file: {INSTALL}")
    model = LocalModel()
    with ReplicaServer(embedded(model), reply_tokens=60) as running:
        yield running
    model.close()


@pytest.fixture
def talk(replica: ReplicaServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{replica.url}/v1", api_key=replica.key, max_retries=0) as client:
        yield client


def test_it_remembers_in_a_conversation_and_not_outside(talk: openai.OpenAI) -> None:
    held = talk.conversations.create(items=[{"role": "developer", "content": SYSTEM_PROMPT}])
    first = talk.responses.create(model="any", input=CODE, conversation=held.id)
    counted = talk.responses.input_tokens.count(model="any", input=FOLLOW_UPS[CODE], conversation=held.id)
    second = talk.responses.create(model="any", input=FOLLOW_UPS[CODE], conversation=held.id)
    assert "4711" in second.output_text
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.input_tokens == counted.input_tokens > first.usage.input_tokens
    assert second.usage.input_tokens_details.cached_tokens > 0  # the prefix was still in the model's memory
    alone = talk.responses.create(model="any", input=FOLLOW_UPS[CODE], instructions=SYSTEM_PROMPT)
    assert "4711" not in alone.output_text


def test_a_chain_and_a_conversation_cost_the_same_tokens(talk: openai.OpenAI) -> None:
    held = talk.conversations.create()
    previous, sizes = None, []
    for text in ("Hello.", "Name a fruit.", "Another one."):
        chained = talk.responses.create(model="any", input=text, previous_response_id=previous, max_output_tokens=16)
        previous = chained.id
        answer = chained.output_text
        talk.conversations.items.create(held.id, items=[{"role": "user", "content": text}])
        count = talk.responses.input_tokens.count(model="any", conversation=held.id, input=[])
        talk.conversations.items.create(held.id, items=[{"role": "assistant", "content": answer}])
        assert chained.usage is not None
        sizes.append((chained.usage.input_tokens, count.input_tokens))
    assert all(left == right for left, right in sizes)


def test_a_thread_of_the_old_api_remembers(talk: openai.OpenAI) -> None:
    with deprecated():
        who = talk.beta.assistants.create(model="any", instructions=SYSTEM_PROMPT)
        held = talk.beta.threads.create(messages=[{"role": "user", "content": CODE}])
        first = talk.beta.threads.runs.create_and_poll(thread_id=held.id, assistant_id=who.id)
        talk.beta.threads.messages.create(held.id, role="user", content=FOLLOW_UPS[CODE])
        with talk.beta.threads.runs.stream(thread_id=held.id, assistant_id=who.id) as stream:
            text = "".join(stream.text_deltas)
            second = stream.get_final_run()
    assert "4711" in text
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.prompt_tokens > first.usage.prompt_tokens


def test_a_message_thread_remembers(replica: ReplicaServer) -> None:
    with anthropic.Anthropic(base_url=replica.url, api_key=replica.key, max_retries=0) as claude:
        held = claude.beta.messages.thread(model="any", max_tokens=60, system=SYSTEM_PROMPT)
        first = held.send({"role": "user", "content": CODE})
        second = held.send({"role": "user", "content": FOLLOW_UPS[CODE]})
    assert "4711" in second.content[0].text  # type: ignore[union-attr]
    totals = [reply.usage.input_tokens + (reply.usage.cache_read_input_tokens or 0) for reply in (first, second)]
    assert totals[1] > totals[0]


def test_its_real_window_overflows_in_openais_words(talk: openai.OpenAI, replica: ReplicaServer) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        talk.responses.create(model="any", input="hello " * (replica.window + 100))
    assert caught.value.code == "context_length_exceeded"
