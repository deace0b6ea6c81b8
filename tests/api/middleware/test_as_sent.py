"""Nothing holds the first token back: neither compression nor the kernel."""

from __future__ import annotations

import asyncio
import socket

from lib.api.middleware.as_sent import send_at_once


class Connection:
    """What uvicorn's `receive` belongs to, with a connection on this machine."""

    def __init__(self, transport: asyncio.Transport | None) -> None:
        self.transport = transport

    async def receive(self) -> dict[str, object]:
        return {}


class Transport(asyncio.Transport):
    """A transport that knows its socket."""


async def elsewhere() -> dict[str, object]:
    return {}


def test_small_packets_are_sent_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        with accepted:
            assert not accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            send_at_once(Connection(Transport({"socket": accepted})).receive)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            accepted.close()
            send_at_once(Connection(Transport({"socket": accepted})).receive)
        assert client.fileno() > 0
    send_at_once(Connection(None).receive)
    send_at_once(elsewhere)
