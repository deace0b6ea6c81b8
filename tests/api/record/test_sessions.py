"""Which session a request becomes a turn of, and that the stored history stays append-only and true."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from lib.errors import ProviderUnavailable
from lib.recorder.recorder import Recorder
from lib.turns import LiveTurn
from tests.support.servers.api_server import SETTINGS
from tests.support.servers.record_server import Parts, RecordServer, client
from tests.support.servers.upstream import chat_stream, completion, response, said, whole
from tests.support.waiting import wait_until

CHAT = "/v1/chat/completions"


@pytest.fixture
def http(served: RecordServer) -> Iterator[httpx2.Client]:
    with client(served) as found:
        yield found


class App:
    """An app that keeps a conversation and sends what `view` makes of it."""

    def __init__(self, served: RecordServer, http: httpx2.Client) -> None:
        self._served = served
        self._http = http
        self.messages: list[dict[str, Any]] = []

    def ask(self, text: str, reply: str, view: Any = list, **headers: str) -> str:
        """Send the next question, and return the session that it was recorded in."""
        self.messages.append({"role": "user", "content": text})
        self._served.upstream.then(whole(completion(reply)))
        before = len(self._served.recorder.entries.newest(self._served.store))
        self._http.post(CHAT, json={"model": "model-1", "messages": view(self.messages)}, headers=headers)
        self.messages.append({"role": "assistant", "content": reply})
        return self._served.done(before + 1)[-1].session_id


def runs(served: RecordServer, session_id: str) -> list[Any]:
    return [turn.plan.runs for turn in served.store.turns(session_id) if turn.plan is not None]


def restart(served: RecordServer) -> None:
    """A new process on the same store: it remembers nothing."""
    served.recorder = Recorder(Parts(served.store), on=True, targets=served.recorder.targets)


def test_conversations_that_begin_alike_are_told_apart_by_their_replies(
    served: RecordServer, http: httpx2.Client
) -> None:
    one, other = App(served, http), App(served, http)
    first, second = one.ask("Hi", "Hello from A"), other.ask("Hi", "Hello from B")
    assert first != second
    assert (one.ask("and?", "A2"), other.ask("and?", "B2")) == (first, second)
    assert [message.text for message in served.store.load(second)] == ["Hi", "Hello from B", "and?", "B2"]


def test_the_same_examples_make_no_conversation(served: RecordServer, http: httpx2.Client) -> None:
    examples = [{"role": "user", "content": "2+2"}, {"role": "assistant", "content": "4"}]
    one, other = App(served, http), App(served, http)
    one.messages, other.messages = list(examples), list(examples)
    assert one.ask("3+3", "6") != other.ask("4+4", "8")


def test_a_restart_finds_the_session_in_the_store(served: RecordServer, http: httpx2.Client) -> None:
    app = App(served, http)
    session_id = app.ask("Hi", "Hello")
    app.messages[1]["tool_calls"] = None  # written otherwise than it came, so it is kept as it was sent
    app.ask("two", "2")
    restart(served)
    assert len(served.recorder.entries.newest(served.store)) == 2
    assert app.ask("three", "3", lambda messages: messages[1:]) == session_id
    assert [each.proof for each in served.rebuilt(session_id) if each] == ["bytes"] * 3
    assert runs(served, session_id)[-1] == ((0, 1, False, "app_dropped"), (1, 5, True, "app_sent"))


def test_an_answer_that_the_server_keeps_is_found_after_a_restart(served: RecordServer, http: httpx2.Client) -> None:
    served.upstream.then(whole(response(said("Hi!"), name="resp-7")))
    http.post("/v1/responses", json={"model": "m", "input": "Hello"})
    session_id = served.done(1)[0].session_id
    restart(served)
    http.post("/v1/responses", json={"model": "m", "input": "More", "previous_response_id": "resp-7"})
    assert served.done(2)[-1].session_id == session_id
    assert runs(served, session_id)[-1] == ((0, 2, False, "server_kept"), (2, 3, True, "app_sent"))


def test_a_shortened_message_is_sent_changed(served: RecordServer, http: httpx2.Client) -> None:
    app = App(served, http)
    session_id = app.ask("A very long text", "ok")

    def shortened(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"role": "user", "content": "[cut]"}, *messages[1:]]

    assert app.ask("two", "2", shortened) == app.ask("three", "3", shortened) == session_id
    assert app.ask("four", "4") == session_id
    assert [message.text for message in served.store.load(session_id)][:3] == ["A very long text", "ok", "two"]
    changed, again, whole_again = runs(served, session_id)[1:]
    assert changed == ((0, 1, True, "app_changed"), (1, 3, True, "app_sent"))
    assert again[0] == (0, 1, True, "app_changed")
    assert whole_again == ((0, 7, True, "app_sent"),)
    turns = served.store.turns(session_id)
    assert [len(turn.recorded.as_sent) for turn in turns if turn.recorded] == [0, 1, 0, 1]  # said once, not each time
    assert [each.proof for each in served.rebuilt(session_id) if each] == ["bytes"] * 4


def test_what_one_history_cannot_show_begins_another_and_says_so(served: RecordServer, http: httpx2.Client) -> None:
    app = App(served, http)
    first = app.ask("Hi", "Hello")
    between = {"role": "user", "content": "put in between"}
    second = app.ask("two", "2", lambda messages: [messages[0], between, *messages[1:]])
    assert second != first
    recorded = served.store.turns(second)[0].recorded
    assert recorded is not None
    assert (recorded.parent, recorded.parent_messages) == (first, 1)
    assert len(served.store.load(first)) == 2
    assert app.ask("three", "3", lambda messages: [messages[0], between, *messages[1:]]) == second


def test_a_named_session_takes_whatever_it_is_given(served: RecordServer, http: httpx2.Client) -> None:
    app = App(served, http)
    assert app.ask("Hi", "Hello", **{"x-windowseat-session": "mine"}) == "mine"
    app.messages = []
    assert app.ask("Something else", "ok", **{"x-windowseat-session": "mine"}) == "mine"
    assert served.access.asked == [("mine", True)] * 2
    assert runs(served, "mine")[-1] == ((0, 2, False, "app_dropped"), (2, 3, True, "app_sent"))


def test_requests_of_one_session_at_the_same_time_are_stored_one_after_the_other(
    served: RecordServer, http: httpx2.Client
) -> None:
    app = App(served, http)
    session_id = app.ask("Hi", "Hello")
    served.upstream.then(whole(completion("ok")))
    bodies = [{"model": "m", "messages": [*app.messages, {"role": "user", "content": f"agent {n}"}]} for n in range(4)]
    threads = [threading.Thread(target=lambda body=body: http.post(CHAT, json=body)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {entry.session_id for entry in served.done(5)} == {session_id}
    history = served.store.load(session_id)
    assert len(history) == 10
    assert [each.proof for each in served.rebuilt(session_id) if each] == ["bytes"] * 5
    assert sorted(message.text for message in history if message.text.startswith("agent")) == [
        f"agent {n}" for n in range(4)
    ]


def test_a_turn_that_waits_for_a_person_is_left_alone(served: RecordServer, http: httpx2.Client) -> None:
    app = App(served, http)
    session_id = app.ask("Hi", "Hello")
    waiting = LiveTurn("typed on a page", SETTINGS, "a page", 0.0)
    served.store.begin(session_id, waiting)

    served.store.heartbeat(session_id, replace(waiting, error=ProviderUnavailable("It is down.")))
    other = app.ask("two", "2")
    assert other != session_id
    live = served.store.live(session_id)
    assert live is not None
    assert live.prompt == "typed on a page"
    recorded = served.store.turns(other)[0].recorded
    assert recorded is not None
    assert recorded.parent == session_id


def test_a_chat_that_is_cleared_meanwhile_stays_cleared(served: RecordServer, http: httpx2.Client) -> None:
    gate = threading.Event()
    served.upstream.then(chat_stream("One ", "two", gate=gate))
    asked = {"model": "m", "messages": [{"role": "user", "content": "Count"}], "stream": True}
    with http.stream("POST", CHAT, json=asked, headers={"x-windowseat-session": "s"}) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        wait_until(lambda: served.store.live("s") is not None, "the live turn")
        served.store.clear("s")
        gate.set()
        assert b"two" in b"".join(pieces)
    assert served.done(1)[0].state == "passed on"
    assert list(served.store.load("s")) == []
