"""The model is asked once for each conversation, however many lanes send it and in whatever protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest

from lib.messages import user
from lib.providers import ChatRequest
from lib.providers.openai import OpenAIProvider
from lib.replica.asked_once import Answer, AskedOnce, request_key
from lib.replica.model import Backend
from lib.replica.reply import ReplyEnd
from lib.replica.server import ReplicaServer
from lib.server_history import Approach, ServerTurn, ThreadSettings
from lib.server_history.offline import AskedOnceProvider, LocalReplica
from lib.settings import Endpoint
from tests.support.server_history.server_turns import last_turn
from tests.support.servers.word_model import KEY, WordModel

PROMPTS = ["please tell me one thing", "and another one", "what was the first"]


@pytest.fixture
def model() -> Iterator[WordModel]:
    with WordModel() as model:
        yield model


@pytest.fixture
def replica(model: WordModel) -> Iterator[LocalReplica]:
    asked_once = AskedOnce()
    endpoint = Endpoint("local", "openai", "This machine", base_url=model.url, model="words-1")
    backend = Backend(model.url, KEY, "words-1")
    server = ReplicaServer(lambda: backend, window=400, asked_once=asked_once)
    yield LocalReplica(server, AskedOnceProvider(OpenAIProvider(endpoint, KEY), asked_once), "words-1")
    server.close()


def turns(replica: LocalReplica, approach: Approach) -> list[ServerTurn]:
    history = replica.history(approach, ThreadSettings(max_output_tokens=256))
    handle, answered = history.create("Be brief."), list[ServerTurn]()
    for text in PROMPTS:
        answered.append(last_turn(history, handle, text))
        handle = answered[-1].handle
    return answered


def test_five_lanes_get_the_same_replies_and_figures_from_one_request_a_turn(
    model: WordModel, replica: LocalReplica
) -> None:
    lanes = [turns(replica, approach) for approach in get_args(Approach)]
    assert len(model.transcripts) == len(PROMPTS)
    for number in range(len(PROMPTS)):
        assert len({lane[number].reply for lane in lanes}) == 1
        assert len({(lane[number].usage.input_tokens, lane[number].usage.output_tokens) for lane in lanes}) == 1
        assert lanes[0][number].reply
        assert lanes[0][number].usage.input_tokens


def test_another_conversation_is_asked_for_itself(model: WordModel, replica: LocalReplica) -> None:
    turns(replica, "conversations")
    history = replica.history("manual", ThreadSettings(max_output_tokens=256))
    last_turn(history, history.create("Be long."), PROMPTS[0])
    assert len(model.transcripts) == len(PROMPTS) + 1


def test_a_reply_that_broke_off_is_not_remembered(model: WordModel, replica: LocalReplica) -> None:
    provider = replica.history("manual")._provider  # type: ignore[attr-defined]  # the one that shares its replies
    sent = provider.prepare(ChatRequest("words-1", [user("hello there")], 50))
    stream = provider.stream(sent)
    next(stream)
    stream.close()
    list(provider.stream(sent))
    list(provider.stream(sent))
    assert len(model.transcripts) == 2


def test_the_replies_not_used_for_longest_are_forgotten_first() -> None:
    asked_once = AskedOnce(most=2)
    answer = Answer(("a",), ReplyEnd("m"))
    for key in ("first", "second"):
        asked_once.keep(key, answer)
    asked_once.get("first")
    asked_once.keep("third", answer)
    assert [asked_once.get(key) for key in ("first", "second", "third")] == [answer, None, answer]


def test_requests_that_a_model_may_answer_otherwise_have_other_keys() -> None:
    messages = [{"role": "user", "content": "a"}]
    keys = {
        request_key(messages, 10),
        request_key(messages, 11),
        request_key(messages, 10, {"temperature": 1}),
        request_key([{"role": "system", "content": "a"}], 10),
        request_key([*messages, *messages], 10),
    }
    assert len(keys) == 5
