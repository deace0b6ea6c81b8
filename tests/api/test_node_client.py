"""A client of the source document's routes works here unchanged, and both servers go on with each other's chats."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.app.app_process import App
from tests.support.servers.redis_servers import RedisServer

NODE = Path(__file__).parent / "node"


def client(url: str, session_id: str = "", *then: str) -> list[dict[str, Any]]:
    """What the client was answered."""
    command = ["node", str(NODE / "client.mjs"), url, session_id, *then]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def source(redis_server: RedisServer, ioredis: Path) -> Iterator[str]:
    """The address of the source document's own server."""
    command = ["node", str(NODE / "server.mjs"), str(redis_server.socket), str(ioredis)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.communicate(timeout=10)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on PATH; apt-get install nodejs")
def test_the_client_of_the_source_document_works_unchanged(real_app: App, redis_server: RedisServer) -> None:
    first, second, cleared = client(real_app.url, "", "clear")
    assert list(first) == list(second) == ["sessionId", "reply", "usage"]
    assert first["sessionId"] == second["sessionId"]
    assert (second["reply"], second["usage"]["output_tokens"]) == ("word1 word2 ", 2)
    assert cleared == {"message": "Session cleared"}
    assert redis_server.stored(first["sessionId"]) == []


def test_both_servers_answer_alike_and_share_their_chats(real_app: App, redis_server: RedisServer, source: str) -> None:
    theirs = client(source)
    session_id = theirs[0]["sessionId"]
    ours = client(real_app.url, session_id)
    again = client(source, session_id)
    assert [list(answer) for answer in theirs] == [list(answer) for answer in ours]
    assert {type(answer[name]) for answer in theirs + ours for name in ("sessionId", "reply")} == {str}
    assert [answer["usage"]["input_tokens"] for answer in again] == [9, 11]  # the source's model counts its messages
    contents = [message["content"] for message in redis_server.stored(session_id)]
    assert contents[::2] == ["Hello", "And 4+4?"] * 3
    assert contents[1::2] == [answer["reply"] for answer in theirs + ours + again]
    assert client(source, session_id, "clear")[-1] == client(real_app.url, "", "clear")[-1]
