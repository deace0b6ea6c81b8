"""Several chats are asked the same at once: one that fails or is stopped leaves the others alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lib.chat.rounds import IDLE, Entrant, Rounds
from lib.chat.service import ChatService
from lib.errors import HistoryUnavailable, RateLimited
from lib.history.memory import InMemoryHistory
from lib.providers.scripted import Script, ScriptedProvider
from lib.turns import LiveTurn
from tests.support.cases.told_sessions import SETTINGS
from tests.support.waiting import wait_until


@pytest.fixture
def chat() -> Iterator[ChatService]:
    service = ChatService(InMemoryHistory(3600))
    yield service
    service.close()


def entrant(session_id: str, provider: ScriptedProvider, *, on_this_machine: bool = False) -> Entrant:
    return Entrant(session_id, SETTINGS, lambda _: provider, on_this_machine)


def replying(*replies: str) -> ScriptedProvider:
    return ScriptedProvider(*(Script([reply]) for reply in replies))


def stored(chat: ChatService, session_id: str) -> list[str]:
    return [message.text for message in chat.store.load(session_id)]


def settled(rounds: Rounds, *session_ids: str) -> None:
    wait_until(lambda: not any(rounds.standing(each).busy for each in session_ids))


def test_each_chat_gets_every_message_in_order_and_keeps_a_history_of_its_own(chat: ChatService) -> None:
    left, right, rounds = replying("1", "2"), replying("x", "y"), Rounds(chat)
    rounds.ask([entrant("left", left), entrant("right", right)], ["a", "b"])
    settled(rounds, "left", "right")
    assert stored(chat, "left") == ["a", "1", "b", "2"]
    assert stored(chat, "right") == ["a", "x", "b", "y"]
    assert [message.text for message in right.requests[1].messages[1:]] == ["a", "x", "b"]
    assert rounds.standing("left") == rounds.standing("right") == IDLE


def test_one_that_fails_waits_for_a_person_while_the_other_goes_on(chat: ChatService) -> None:
    failing, working, rounds = ScriptedProvider(Script([], RateLimited("slow"))), replying("x", "y", "z"), Rounds(chat)
    rounds.ask([entrant("left", failing), entrant("right", working)], ["a", "b"])
    settled(rounds, "left", "right")
    standing = rounds.standing("left")
    assert (standing.waiting, standing.error) == (("a", "b"), RateLimited("slow"))
    assert stored(chat, "right") == ["a", "x", "b", "y"]
    rounds.ask([entrant("left", failing), entrant("right", working)], ["c"])
    settled(rounds, "left", "right")
    assert stored(chat, "left") == []
    rounds.retry(entrant("left", replying("1", "2", "3")))
    settled(rounds, "left")
    assert stored(chat, "left") == ["a", "1", "b", "2", "c", "3"]


def test_discarding_the_failed_message_forgets_those_behind_it(chat: ChatService) -> None:
    rounds = Rounds(chat)
    rounds.ask([entrant("left", ScriptedProvider(Script(["half"], RateLimited("slow"))))], ["a", "b"])
    settled(rounds, "left")
    rounds.discard("left")
    assert rounds.standing("left") == IDLE
    assert chat.store.live("left") is None
    rounds.ask([entrant("left", replying("3"))], ["c"])
    settled(rounds, "left")
    assert stored(chat, "left") == ["c", "3"]


def test_a_stop_keeps_what_came_and_sends_nothing_that_waited(chat: ChatService) -> None:
    gate = threading.Semaphore(1)
    writing, other, rounds = ScriptedProvider(Script(["half", " more"], gate=gate)), replying("x", "y"), Rounds(chat)
    rounds.ask([entrant("left", writing), entrant("right", other)], ["a", "b"])
    wait_until(lambda: (live := chat.live("left")) is not None and live.text == "half")
    rounds.stop("left")
    settled(rounds, "left", "right")
    gate.release(3)
    assert stored(chat, "left") == ["a", "half"]
    assert len(writing.requests) == 1
    assert stored(chat, "right") == ["a", "x", "b", "y"]
    rounds.ask([entrant("left", replying("3"))], ["c"])
    settled(rounds, "left")
    assert stored(chat, "left") == ["a", "half", "c", "3"]


def test_models_on_one_machine_answer_one_after_the_other(chat: ChatService) -> None:
    gate = threading.Semaphore(0)
    first, second, rounds = ScriptedProvider(Script(["1"], gate=gate)), replying("x"), Rounds(chat)
    rounds.ask([entrant("left", first, on_this_machine=True)], ["a"])
    wait_until(lambda: len(first.requests) == 1)
    rounds.ask([entrant("right", second, on_this_machine=True), entrant("remote", replying("r"))], ["a"])
    wait_until(lambda: rounds.standing("right").waits_for_machine)
    settled(rounds, "remote")
    assert second.requests == []
    assert rounds.standing("right").waiting == ("a",)
    gate.release(2)
    settled(rounds, "left", "right")
    assert stored(chat, "right") == ["a", "x"]


def test_one_that_waits_for_the_machine_can_be_stopped(chat: ChatService) -> None:
    gate = threading.Semaphore(0)
    first, second, rounds = ScriptedProvider(Script(["1"], gate=gate)), replying("x"), Rounds(chat)
    rounds.ask([entrant("left", first, on_this_machine=True), entrant("right", second, on_this_machine=True)], ["a"])
    wait_until(lambda: len(first.requests) == 1 or len(second.requests) == 1)
    waiting = "right" if first.requests else "left"
    wait_until(lambda: rounds.standing(waiting).waits_for_machine)
    rounds.stop(waiting)
    settled(rounds, waiting)
    gate.release(2)
    settled(rounds, "left", "right")
    assert stored(chat, waiting) == []


def test_a_turn_that_an_earlier_process_left_is_not_overwritten(chat: ChatService) -> None:
    left_behind = LiveTurn("old", SETTINGS, "another process", 0.0, error=RateLimited("slow"))
    chat.store.begin("left", left_behind)
    chat.store.heartbeat("left", left_behind)
    provider, rounds = replying("1", "2"), Rounds(chat)
    rounds.ask([entrant("left", provider)], ["new"])
    settled(rounds, "left")
    assert provider.requests == []
    assert rounds.standing("left").error == RateLimited("slow")
    rounds.retry(entrant("left", provider))
    settled(rounds, "left")
    assert stored(chat, "left") == ["old", "1", "new", "2"]


def test_a_store_that_does_not_answer_is_reported_before_anything_is_sent(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(session_id: str) -> None:
        raise HistoryUnavailable("away")

    monkeypatch.setattr(chat, "live", away)
    provider, rounds = replying("1"), Rounds(chat)
    with pytest.raises(HistoryUnavailable):
        rounds.ask([entrant("left", provider)], ["a"])
    assert rounds.standing("left") == IDLE


def test_nothing_is_sent_after_the_end(chat: ChatService) -> None:
    provider, rounds = replying("1"), Rounds(chat)
    rounds.close()
    rounds.ask([entrant("left", provider)], ["a"])
    assert (provider.requests, rounds.standing("left").busy) == ([], False)
