"""A turn that is cut off at any step is either complete, or live with its prompt, or was never begun."""

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
from tests.support.servers.redis_servers import TTL, RedisServer, commit, prompt, say
from tests.support.store_kits import aged_record


class Killed(BaseException):
    """Ends the process at this command: no handler may run after it."""


class CutOff:
    """A client that fails at its nth command, before it is sent or after the server has executed it (`executed`)."""

    def __init__(self, client: Any, at: int, executed: bool, failure: BaseException) -> None:
        self._client = client
        self.left = at
        self._executed = executed
        self._failure = failure

    def _send(self, command: Callable[..., Any], *args: Any) -> Any:
        self.left -= 1
        if self.left != 0:
            return command(*args)
        if self._executed:
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


@pytest.mark.parametrize("executed", [False, True], ids=["not sent", "executed"])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_process_that_dies_at_any_command_never_leaves_half_an_exchange(
    client: Any, open_store: Callable[[], RedisHistory], at: int, executed: bool
) -> None:
    say(open_store(), "s", "before")
    a_turn(open_store(), "another")  # from now on the server has every script
    cut = CutOff(client, at, executed, Killed())
    try:
        a_turn(RedisHistory(cut, TTL))
    except Killed:
        pass
    else:
        assert cut.left > 0  # the turn ended before its nth command
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


@pytest.mark.parametrize("executed", [False, True], ids=["not sent", "executed"])
@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize(
    "failure",
    [redis.ConnectionError("Connection closed by server."), redis.TimeoutError("Timeout reading from socket")],
    ids=["broke off", "timed out"],
)
def test_a_command_whose_answer_is_lost_stores_nothing_twice(
    client: Any, open_store: Callable[[], RedisHistory], at: int, executed: bool, failure: Exception
) -> None:
    a_turn(open_store(), "another")
    store = RedisHistory(CutOff(client, at, executed, failure), TTL)
    live = prompt("precious")
    for step in (lambda: store.begin("s", live), lambda: store.heartbeat("s", live), lambda: commit(store, "s", live)):
        try:
            step()
        except HistoryUnavailable:
            step()  # as the turn's thread does
    assert [message.text for message in open_store().load("s")] == ["precious", "Hi!"]
    assert len(open_store().turns("s")) == 1


OWNER = """
import sys
from lib.history.client import connect
from lib.history.redis import RedisHistory
from tests.support.servers.redis_servers import prompt, commit
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


def test_a_killed_process_loses_no_turn_that_it_began(
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
    last_begun = int((rest or lines)[-1])
    store = open_store()
    texts, live = [message.text for message in store.load("s")], store.live("s")
    whole = [text for n in range(len(texts) // 2) for text in (f"question {n}", f"answer {n}")]
    assert texts == whole
    assert len(store.turns("s")) == len(texts) // 2
    begun = len(texts) // 2 + (live is not None)
    assert begun >= last_begun + 1
    if live is not None:
        assert live.prompt == f"question {len(texts) // 2}"
