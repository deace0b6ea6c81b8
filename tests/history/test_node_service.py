"""The source document's service, on Node.js with ioredis, shares conversations with the app."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.history.redis import RedisHistory
from tests.support.servers.redis_servers import TTL, RedisServer, as_dicts, say

SERVICE = Path(__file__).parent / "node" / "service.mjs"


class NodeService:
    """The running service (node/service.mjs)."""

    def __init__(self, socket: Path, modules: Path) -> None:
        self.process = subprocess.Popen(
            ["node", SERVICE, socket, modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, op: str, **fields: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps({"op": op, "id": "s", **fields}), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate()


@pytest.fixture
def node(redis_server: RedisServer, client: Any, ioredis: Path) -> Iterator[NodeService]:
    service = NodeService(redis_server.socket, ioredis)
    yield service
    service.close()


def test_node_and_the_app_continue_each_others_conversation(
    client: Any, node: NodeService, open_store: Callable[[], RedisHistory]
) -> None:
    store = open_store()
    saved = [
        {"role": "user", "content": "from Node"},
        {"role": "assistant", "content": [{"type": "text", "text": "é"}]},
    ]
    node.ask("save", messages=saved)
    assert as_dicts(store.load("s")) == saved
    for number in range(100):
        say(store, "s", f"ours {number} “é”", f'our "reply" {number}\n😀')
        node.ask("chat", message=f"theirs {number}\u2028", reply=f"their \\ reply {number}\u0000😀")
    seen_there = node.ask("get")
    assert len(seen_there) == 402
    assert as_dicts(store.load("s")) == seen_there
    assert as_dicts(open_store().load("s")) == seen_there
    assert [message["content"] for message in seen_there[-4::2]] == ["ours 99 “é”", "theirs 99\u2028"]


def test_node_and_the_app_set_the_same_time_to_live(client: Any, node: NodeService, redis_store: RedisHistory) -> None:
    say(redis_store, "s")
    assert TTL - 60 < client.ttl("chat:s") <= TTL
    node.ask("chat", message="more", reply="yes")
    assert TTL - 60 < client.ttl("chat:s") <= TTL


def test_half_a_surrogate_pair_is_readable_by_both(node: NodeService, redis_store: RedisHistory) -> None:
    say(redis_store, "s", "ours \ud83d", "\ude00")
    node.ask("chat", message="theirs \udc00", reply="\ud800!")
    expected = ["ours \ud83d", "\ude00", "theirs \udc00", "\ud800!"]
    assert [message["content"] for message in node.ask("get")] == expected
    assert [message.content for message in redis_store.load("s")] == expected
    say(redis_store, "s", "after")
    assert len(node.ask("get")) == 6


def test_a_session_cleared_by_either_is_gone_for_both(node: NodeService, redis_store: RedisHistory) -> None:
    say(redis_store, "s")
    redis_store.load("s")
    node.ask("clear")
    assert list(redis_store.load("s")) == []
    assert redis_store.sessions(5) == []
    node.ask("save", messages=[{"role": "user", "content": "again"}])
    assert len(redis_store.load("s")) == 1
    redis_store.clear("s")
    assert node.ask("get") == []
