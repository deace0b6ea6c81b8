"""What one person's app sends is recorded in that person's sessions, whatever others send."""

from __future__ import annotations

import json
from typing import Any

from lib.access import Person
from lib.access.gate import Gate, gated_store
from lib.history import HistoryStore
from lib.history.memory import InMemoryHistory
from lib.recorder.recorder import Recorder
from lib.recorder.tape import Tape
from lib.settings import Endpoint
from tests.support.servers.record_server import Parts
from tests.support.servers.upstream import completion
from tests.support.waiting import wait_until

ENDPOINT = Endpoint("openai", "openai", "OpenAI", "http://127.0.0.1/v1", "model-1")
ANNA, BERT = "visitor-" + "a" * 22, "visitor-" + "b" * 22
FIRST = [{"role": "user", "content": "Hello"}]
SECOND = [*FIRST, {"role": "assistant", "content": "Hi!"}, {"role": "user", "content": "And?"}]


class GatedParts(Parts):
    """The store behind the gate of each person."""

    def store(self, owner: str) -> HistoryStore:
        return gated_store(Gate(Person("visitors", owner), self._store), self._store)


def record(recorder: Recorder, owner: str, messages: list[dict[str, Any]]) -> str:
    """Record one request of this person's app, and return its session."""
    data = json.dumps({"model": "m", "messages": messages}).encode()
    tape = Tape("/v1/chat/completions", "http://127.0.0.1/v1", ENDPOINT, data, owner=owner)
    recorder.start(tape)
    tape.began(200, {"content-type": "application/json"})
    tape.piece(json.dumps(completion("Hi!")).encode())
    tape.ended("complete")

    def entry() -> Any:
        return next(each for each in recorder.entries.newest(InMemoryHistory(60)) if each.id == tape.id)

    wait_until(lambda: entry().state != "running", "the record")
    assert entry().state == "recorded", entry().note
    return str(entry().session_id)


def test_the_same_conversation_of_two_people_is_two_sessions() -> None:
    store = InMemoryHistory(3600)
    parts = GatedParts(store)
    recorder = Recorder(parts, on=True)
    annas = record(recorder, ANNA, FIRST)
    berts = record(recorder, BERT, SECOND)
    assert annas != berts
    assert record(recorder, ANNA, SECOND) == annas
    for begun_again in (Recorder(parts, on=True), recorder):
        assert record(begun_again, BERT, SECOND) == berts
    assert (store.about(annas).owner, store.about(berts).owner) == (ANNA, BERT)


def test_everybody_sees_their_own_requests_listed() -> None:
    parts = GatedParts(InMemoryHistory(3600))
    recorder = Recorder(parts, on=True)
    sessions = {owner: record(recorder, owner, FIRST) for owner in (ANNA, BERT)}
    for again in (recorder, Recorder(parts, on=True)):
        for owner, session_id in sessions.items():
            entries = again.entries_of(owner).newest(parts.store(owner))
            assert [entry.session_id for entry in entries] == [session_id]
