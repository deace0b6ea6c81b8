"""Fixtures for the tests with other libraries' keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from lib.history.client import RetryingClient, connect
from lib.history.foreign.sessions import ForeignSessions
from tests.support.cases.foreign_keys import write
from tests.support.servers.redis_servers import RedisServer

Opener: TypeAlias = Callable[..., ForeignSessions]
READER = ("reader", "on", ">x", "resetkeys", "~*", "nocommands", "+@read")
"""A user who may run the commands that the server counts as reading, and no others."""


def as_reader(server: RedisServer, *further: str) -> ForeignSessions:
    """The conversations of a server, for a user who may only read. `further` are more rules for that user."""
    with server.client() as admin:
        admin.execute_command("ACL SETUSER", *READER, *further)
    client = connect(f"unix://reader:x@{server.socket}")
    return ForeignSessions(RetryingClient(lambda: client, None), ("conv", "app:history"))


@pytest.fixture
def written(client: Any) -> Any:
    """The test server's client, after other libraries have written."""
    write(client)
    return client


@pytest.fixture
def foreign(redis_server: RedisServer, written: Any) -> Iterator[ForeignSessions]:
    """What they wrote, for a user who may only read."""
    yield as_reader(redis_server)
    written.execute_command("ACL DELUSER", "reader")
