"""Any mix of conversations, from apps that trim, shorten and repeat, is recorded truly: hypothesis looks for one that
is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lib.history.memory import InMemoryHistory
from lib.recorder.rebuild import rebuilt
from lib.recorder.recorder import Recorder
from lib.recorder.tape import Tape
from lib.settings import Endpoint
from tests.support.servers.record_server import Parts
from tests.support.servers.upstream import completion
from tests.support.waiting import wait_until

ENDPOINT = Endpoint("openai", "openai", "OpenAI", "http://127.0.0.1/v1", "model-1")
Messages = list[dict[str, Any]]
VIEWS: dict[str, Callable[[Messages], Messages]] = {
    "all": list,
    "newest five": lambda messages: messages[-5:],
    "ends": lambda messages: messages[:2] + messages[2:][-3:],
    "shortened": lambda messages: [
        {**each, "content": each["content"][:4]} if each["role"] == "user" and place < len(messages) - 1 else each
        for place, each in enumerate(messages)
    ],
    "other words": lambda messages: [{"content": each["content"], **each, "name": None} for each in messages],
}
STEPS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(list(VIEWS)), st.booleans()), max_size=14)
"""Who asks, what the app makes of its messages, and whether it is answered."""


def pass_through(recorder: Recorder, store: InMemoryHistory, messages: Messages, reply: str | None) -> str:
    """Record one request, as the relay would, and return its session."""
    data = json.dumps({"model": "m", "messages": messages}, separators=(",", ":")).encode()
    tape = Tape("/v1/chat/completions", "http://127.0.0.1/v1/chat/completions", ENDPOINT, data)
    recorder.start(tape)
    tape.began(200 if reply else 500, {"content-type": "application/json"})
    tape.piece(json.dumps(completion(reply) if reply else {"error": {"message": "no"}}).encode())
    tape.ended("complete")

    def entry() -> Any:
        return next(each for each in recorder.entries.newest(store) if each.id == tape.id)

    wait_until(lambda: entry().state != "running", "the record")
    assert entry().state == "recorded", entry().note
    return str(entry().session_id)


@given(STEPS)
def test_every_request_is_in_its_conversation_and_can_be_written_again(steps: list[tuple[int, str, bool]]) -> None:
    store = InMemoryHistory(3600)
    recorder = Recorder(Parts(store), on=True)
    conversations: list[Messages] = [[], [], []]
    sessions: list[set[str]] = [set(), set(), set()]
    sent: dict[str, list[Messages]] = {}
    histories: dict[str, list[Any]] = {}
    for number, (who, view, answered) in enumerate(steps):
        messages = conversations[who]
        if not messages or messages[-1]["role"] == "assistant":
            messages.append({"role": "user", "content": f"{number} asked by {who}"})
        shown = VIEWS[view](messages)
        reply = f"{number} answered to {who}" if answered else None
        session_id = pass_through(recorder, store, shown, reply)
        if reply:
            messages.append({"role": "assistant", "content": reply})
        sessions[who].add(session_id)
        sent.setdefault(session_id, []).append(shown)
        history = [message.to_dict() for message in store.load(session_id)]
        assert history[: len(histories.get(session_id, []))] == histories.get(session_id, [])  # append-only
        histories[session_id] = history
    assert sum(map(len, sessions)) == len(set.union(*sessions))  # no two conversations share a session
    if all(answered for _, _, answered in steps):
        assert max(map(len, sessions)) <= 1
    for session_id, requests in sent.items():
        turns, history_now = store.turns(session_id), store.load(session_id)
        bodies = [rebuilt(turn, turns, history_now) for turn in turns]
        assert [json.loads(body.data)["messages"] for body in bodies if body] == requests
        assert {body.proof for body in bodies if body} == {"bytes"}
    wait_until(lambda: not [each for each in threading.enumerate() if each.name.startswith("record-")], "the threads")
