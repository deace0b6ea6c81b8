"""What the embedded model answered before does not change what a lane is answered, in any slot.

The question is one whose two best first tokens are close: it is answered in French as soon as the cache of its slot was
computed together with other requests.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence

import pytest

from lib.messages import Message, assistant, system, user
from lib.providers import ChatRequest, Reply
from lib.providers.llama.process import INSTALL, SLOTS, WHOLE, LocalModel, LocalProvider, packaged_model
from lib.server_history import Approach, ThreadSettings
from lib.server_history.offline import LocalReplica
from tests.support.server_history.server_turns import last_turn

pytestmark = [pytest.mark.model, pytest.mark.slow]
START = system("You are a helpful assistant.")
QUESTION = "What is the capital of France?"
TALK = ("Tell me a story about a dog.", "Repeat after me: the secret code is 4711.", "List five fruits.", "And then?")
BUDGET = 200
"""Tokens of a chat's request, so that it is trimmed after a few turns."""


def answer(provider: LocalProvider, *messages: Message, limit: int = 24) -> str:
    *_, reply = provider.stream(provider.prepare(ChatRequest("m", (START, *messages), limit)))
    assert isinstance(reply, Reply)
    return reply.text


def stopped(provider: LocalProvider, messages: Sequence[Message]) -> None:
    stream = provider.stream(provider.prepare(ChatRequest("m", (START, *messages), 200)))
    assert isinstance(stream, Generator)
    next(stream)
    stream.close()


def at_once(provider: LocalProvider, requests: Sequence[Sequence[Message]]) -> None:
    threads = [threading.Thread(target=answer, args=(provider, *messages)) for messages in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def long_session(model: LocalModel) -> None:
    """A chat that is trimmed, stopped and counted, and requests that are computed together."""
    provider = LocalProvider(model)
    counter = provider.counter()
    assert counter is not None
    history: list[Message] = []
    for turn in range(8):
        window = list(history)
        while sum(counter.count_many(window)) > BUDGET:
            del window[:2]
        question = user(TALK[turn % len(TALK)])
        if turn % 4 == 3:
            stopped(provider, [*window, question])
        provider.count(ChatRequest("m", (START, *window, question), 24))
        history += [question, assistant(answer(provider, *window, question))]
    at_once(provider, [[*history[-6:], user("Go on.")], [*history, user("Go on.")], [user(QUESTION)]])
    at_once(provider, [[user(QUESTION)]] * 3)


def test_every_slot_answers_as_a_fresh_server_does() -> None:
    if packaged_model() is None:
        pytest.skip(f"needs the model file: {INSTALL}")
    fresh = LocalModel()
    expected = answer(LocalProvider(fresh, WHOLE), user(QUESTION))
    fresh.close()
    served = LocalModel()
    long_session(served)
    answers = [answer(LocalProvider(served, {**WHOLE, "id_slot": slot}), user(QUESTION)) for slot in range(SLOTS)]
    lanes: list[Approach] = ["manual", "conversations", "responses"]
    replica = LocalReplica.on(served)
    for approach in lanes:
        history = replica.history(approach, ThreadSettings(max_output_tokens=24))
        answers.append(last_turn(history, history.create(START.text), QUESTION).reply)
    replica.close()
    served.close()
    assert answers == [expected] * (SLOTS + len(lanes))
