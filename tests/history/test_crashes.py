"""A turn cut off between any two of its steps is there whole, or waits with its prompt, or never began."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import redis

from lib.errors import HistoryUnavailable
from lib.history.redis import RedisHistory
from tests.support.redis_servers import TTL, RedisServer, commit, prompt, say
from tests.support.store_kits import aged_record


class Killed(BaseException):
    """The process ends here: nothing after this line happens."""


class CutOff:
    """A client that fails at its nth command: before it reaches the server, or after the server has done it."""

    def __init__(self, client: Any, at: int, done: bool, failure: BaseException) -> None:
        self._client = client
        self.left = at
        self._done = done
        self._failure = failure

    def _send(self, command: Callable[..., Any], *args: Any) -> Any:
        self.left -= 1
        if self.left != 0:
            return command(*args)
        if self._done:
            command(*args)
        raise self._failure

    def evalsha(self, *args: Any) -> Any:
        return self._send(self._client.evalsha, *args)

    def eval(self, *args: Any) -> Any:
        return self._send(self._client.eval, *args)

    def pipeline(self, transaction: bool) -> Any:
        pipe = self._client.pipeline(transaction=transaction)
        execute = pipe.execute
        pipe.execute = lambda **options: self._send(lambda: execute(**options))
        return pipe

    def close(self) -> None:
        self._client.close()


def a_turn(store: RedisHistory, session_id: str = "s") -> None:
    live = prompt("precious")
    store.begin(session_id, live)
    store.heartbeat(session_id, prompt("precious", id=live.id, text="partial"))
    commit(store, session_id, live)


@pytest.mark.parametrize("done", [False, True], ids=["not sent", "done"])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_process_that_dies_at_any_command_leaves_all_or_nothing(
    client: Any, open_store: Callable[[], RedisHistory], at: int, done: bool
) -> None:
    say(open_store(), "s", "before")
    a_turn(open_store(), "another")  # the server knows every script from here on
    cut = CutOff(client, at, done, Killed())
    try:
        a_turn(RedisHistory(cut, TTL))
    except Killed:
        pass
    else:
        assert cut.left > 0  # the turn has fewer commands than this
    store = open_store()
    texts, live = [message.text for message in store.load("s")], store.live("s")
    assert len(store.turns("s")) * 2 == len(texts)
    if texts == ["before", "Hi!", "precious", "Hi!"]:
        assert live is None
    else:
        assert texts == ["before", "Hi!"]
        if live is not None:
            assert live.prompt == "precious"
            aged_record(client)("s", 6)
            found = store.live("s")
            assert found is not None
            assert found.interrupted
            retried = prompt("precious")
            store.begin("s", retried, instead_of=live.id)
            commit(store, "s", retried)


@pytest.mark.parametrize("done", [False, True], ids=["not sent", "done"])
@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize(
    "failure",
    [redis.ConnectionError("Connection closed by server."), redis.TimeoutError("Timeout reading from socket")],
    ids=["broke off", "timed out"],
)
def test_a_command_whose_answer_is_lost_stores_nothing_twice(
    client: Any, open_store: Callable[[], RedisHistory], at: int, done: bool, failure: Exception
) -> None:
    a_turn(open_store(), "another")
    store = RedisHistory(CutOff(client, at, done, failure), TTL)
    live = prompt("precious")
    for step in (lambda: store.begin("s", live), lambda: store.heartbeat("s", live), lambda: commit(store, "s", live)):
        try:
            step()
        except HistoryUnavailable:
            step()  # as the turn's thread does, with the reply in hand
    assert [message.text for message in open_store().load("s")] == ["precious", "Hi!"]
    assert len(open_store().turns("s")) == 1


OWNER = """
import sys
from lib.history.client import connect
from lib.history.redis import RedisHistory
from tests.support.redis_servers import prompt, commit
store = RedisHistory(connect(sys.argv[1]), 86400)
number = 0
while True:
    live = prompt(f"question {number}")
    store.begin("s", live)
    store.heartbeat("s", prompt(f"question {number}", id=live.id, text="part"))
    print(number, flush=True)
    commit(store, "s", live, f"answer {number}")
    number += 1
"""


def test_a_killed_process_loses_nothing_it_had_begun(
    client: Any, redis_server: RedisServer, open_store: Callable[[], RedisHistory]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, redis_server.url], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(40)]
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    told = int((rest or lines)[-1])
    store = open_store()
    texts, live = [message.text for message in store.load("s")], store.live("s")
    whole = [text for n in range(len(texts) // 2) for text in (f"question {n}", f"answer {n}")]
    assert texts == whole
    assert len(store.turns("s")) == len(texts) // 2
    begun = len(texts) // 2 + (live is not None)
    assert begun >= told + 1
    if live is not None:
        assert live.prompt == f"question {len(texts) // 2}"
