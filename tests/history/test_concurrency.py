"""Eight concurrent writers, threads or processes, lose no messages."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from lib.errors import TurnInProgress
from lib.history.redis import RedisHistory
from tests.support.servers.redis_servers import RedisServer, prompt, write_turns
from tests.support.store_kits import Kit

WRITERS, EACH = 8, 25


def assert_nothing_is_lost(store: Any, writers: int, turns: int) -> None:
    messages = store.load("s")
    prompts = [message.text for message in messages[::2]]
    assert len(messages) == 2 * writers * turns
    assert sorted(prompts) == sorted(f"{writer}:{number}" for writer in range(writers) for number in range(turns))
    assert [message.text for message in messages[1::2]] == [f"reply to {text}" for text in prompts]
    assert [turn.prompt for turn in store.turns("s")] == prompts
    for writer in range(writers):  # each writer's turns are in the order in which it wrote them
        own = [text for text in prompts if text.startswith(f"{writer}:")]
        assert own == [f"{writer}:{number}" for number in range(turns)]


def test_eight_threads_lose_none_of_400_messages(kit: Kit) -> None:
    threads = [threading.Thread(target=write_turns, args=(kit.store, writer, EACH)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_nothing_is_lost(kit.store, WRITERS, EACH)


WRITER = """
import sys
from lib.history.client import connect
from lib.history.redis import RedisHistory
from tests.support.servers.redis_servers import write_turns
write_turns(RedisHistory(connect(sys.argv[1]), 86400), int(sys.argv[2]), int(sys.argv[3]))
"""


@pytest.mark.usefixtures("client")
def test_eight_processes_lose_none_of_400_messages(redis_server: RedisServer, redis_store: RedisHistory) -> None:
    command = [sys.executable, "-c", WRITER, redis_server.url]
    processes = [
        subprocess.Popen([*command, str(writer), str(EACH)], env={**os.environ, "PYTHONPATH": "."})
        for writer in range(WRITERS)
    ]
    assert [process.wait() for process in processes] == [0] * WRITERS
    assert_nothing_is_lost(redis_store, WRITERS, EACH)


def test_only_one_of_many_simultaneous_begins_is_accepted(kit: Kit) -> None:
    accepted: list[int] = []
    gate = threading.Barrier(WRITERS)

    def begin(writer: int) -> None:
        gate.wait()
        try:
            kit.store.begin("s", prompt(f"{writer}"))
        except TurnInProgress:
            return
        accepted.append(writer)

    threads = [threading.Thread(target=begin, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted) == 1
    assert kit.store.live("s").prompt == f"{accepted[0]}"


def test_readers_never_see_half_an_exchange(client: Any, open_store: Callable[[], RedisHistory]) -> None:
    writer = threading.Thread(target=write_turns, args=(open_store(), 0, 150))
    reader = open_store()
    writer.start()
    seen = 0
    while writer.is_alive():
        messages = reader.load("s")
        assert len(messages) % 2 == 0
        assert len(messages) >= seen
        seen = len(messages)
    writer.join()
    assert len(reader.load("s")) == 300
