"""A replay sends the same questions again, one by one, says how far it is, and can stop and go on."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from lib.chat.replays import Progress, Replays, questions_of
from lib.chat.service import ChatService
from lib.errors import ChatError, RateLimited
from lib.generation import Generation
from lib.history.sessions import Parent
from lib.messages import Message, assistant, user
from lib.providers.scripted import Script, ScriptedProvider
from tests.support.cases.told_sessions import PARENT, SETTINGS, told
from tests.support.waiting import wait_until

OTHER = replace(SETTINGS, model="other", strategy="sliding_window", generation=Generation(temperature=0.5))


def ended(replays: Replays, session_id: str) -> Progress:
    wait_until(lambda: (found := replays.find(session_id)) is not None and found.state != "running")
    found = replays.find(session_id)
    assert found is not None
    return found


def prompts(provider: ScriptedProvider) -> list[str]:
    """What was asked: the last message of each request."""
    return [request.messages[-1].text for request in provider.requests]


def test_the_questions_are_sent_to_the_other_model_in_a_session_of_their_own() -> None:
    chat, _ = told("a", "b", "c")
    before = list(chat.store.load(PARENT))
    provider, replays = ScriptedProvider(*[Script(["new"])] * 3), Replays(chat)
    begun = replays.start(PARENT, OTHER, lambda _: provider)
    assert ended(replays, begun.session_id) == Progress(begun.session_id, PARENT, 3, 3, "done")
    assert prompts(provider) == ["a", "b", "c"]
    assert {(request.model, request.generation.temperature) for request in provider.requests} == {("other", 0.5)}
    assert [message.text for message in chat.store.load(begun.session_id)] == ["a", "new", "b", "new", "c", "new"]
    assert {turn.plan.strategy for turn in chat.store.turns(begun.session_id) if turn.plan} == {"sliding_window"}
    assert chat.store.about(begun.session_id).parent == Parent(PARENT, 6, "replay")
    assert list(chat.store.load(PARENT)) == before


def test_a_replay_that_failed_goes_on_where_it_failed() -> None:
    chat, _ = told("a", "b", "c")
    failing, replays = ScriptedProvider(Script(["1"]), Script([], RateLimited("slow down"))), Replays(chat)
    begun = replays.start(PARENT, OTHER, lambda _: failing)
    failed = ended(replays, begun.session_id)
    assert (failed.done, failed.state, failed.error) == (1, "failed", RateLimited("slow down"))
    working = ScriptedProvider(Script(["2"]), Script(["3"]))
    replays = Replays(chat)  # as after a restart of the app: everything is known from the store
    replays.go_on(begun.session_id, lambda _: working)
    assert ended(replays, begun.session_id).state == "done"
    assert prompts(working) == ["b", "c"]
    assert [m.text for m in chat.store.load(begun.session_id) if m.role == "assistant"] == ["1", "2", "3"]


def test_a_cancelled_replay_sends_nothing_more_and_keeps_what_came() -> None:
    chat, _ = told("a", "b")
    gate = threading.Semaphore(1)
    provider, replays = ScriptedProvider(Script(["half", " more"], gate=gate)), Replays(chat)
    begun = replays.start(PARENT, OTHER, lambda _: provider)
    wait_until(lambda: (live := chat.live(begun.session_id)) is not None and live.text == "half")
    replays.cancel(begun.session_id)
    assert ended(replays, begun.session_id).state == "stopped"
    gate.release(3)
    assert len(provider.requests) == 1
    assert [m.text for m in chat.store.load(begun.session_id)] == ["a", "half"]


def test_messages_added_to_the_original_meanwhile_are_not_part_of_it() -> None:
    chat, provider = told("a", "b")
    replays = Replays(chat)
    failing = ScriptedProvider(Script([], RateLimited("no")))
    begun = replays.start(PARENT, OTHER, lambda _: failing)
    assert ended(replays, begun.session_id).total == 2
    provider.enqueue(Script(["re c"]))
    say_more(chat, provider)
    answers = ScriptedProvider(*[Script(["x"])] * 2)
    assert replays.go_on(begun.session_id, lambda _: answers).total == 2
    assert ended(replays, begun.session_id).state == "done"
    assert prompts(answers) == ["a", "b"]


def say_more(chat: ChatService, provider: ScriptedProvider) -> None:
    live = chat.send(PARENT, "c", SETTINGS, lambda _: provider)
    for _ in chat.follow(PARENT, live.id):
        pass


def test_muted_exchanges_and_tool_results_are_not_asked() -> None:
    result = Message("user", [{"type": "tool_result", "tool_use_id": "t", "content": "42"}])
    history = [user("a"), assistant("1"), user("b"), assistant("2"), result, user(" ")]
    assert questions_of(history, {0}) == ["b"]


def test_what_cannot_be_replayed_is_refused_in_words() -> None:
    chat, provider = told()
    with pytest.raises(ChatError, match="no messages of a person"):
        Replays(chat).start("empty", OTHER, lambda _: provider)
    with pytest.raises(ChatError, match="not a replay"):
        Replays(chat).go_on(PARENT, lambda _: provider)
    assert chat.store.sessions(10) == []
