"""Has what the recorder's routes pass on arrive as the provider sent it: not compressed on the way, and at once.

Streamlit compresses answers, and it binds its socket in a way that makes asyncio leave small packets to the kernel,
which holds the second one back until the first is acknowledged: up to 40 ms for the first token.
"""

from __future__ import annotations

import contextlib
import socket

from starlette.types import ASGIApp, Receive, Scope, Send

ACCEPTED = "windowseat.accept_encoding"
"""Where the hidden headers are kept in the scope."""
PREFIX = "/v1/"


class AsSent:
    """ASGI middleware. It hides Accept-Encoding from what comes behind it; the routes get it from the scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            send_at_once(receive)
            hidden = [header for header in scope["headers"] if header[0].lower() == b"accept-encoding"]
            kept = [header for header in scope["headers"] if header[0].lower() != b"accept-encoding"]
            scope = {**scope, "headers": kept, ACCEPTED: hidden}
        await self._app(scope, receive, send)


def send_at_once(receive: Receive) -> None:
    """Set TCP_NODELAY on the connection of a request.

    ASGI has no way to ask for it, so this looks for uvicorn's transport behind its `receive`. On a server that keeps
    it elsewhere, nothing changes.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        return
    found = transport.get_extra_info("socket")
    if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):  # the client has gone already
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
