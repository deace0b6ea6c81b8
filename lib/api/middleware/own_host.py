"""Refuses pages, and what a page opens to run, to a browser that came by a name which is not one of the server's own.

Another site can have its name point to this machine. Its page then has the origin of the app, and Streamlit lets it
open the connection over which pages run: it would see every chat of an app that is one person's.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from lib.api.errors import Refused, error_response

POLICY_VIOLATION = 1008
"""Code of a WebSocket that is closed before it is accepted, which a browser sees as 403."""


class OwnHost:
    """ASGI middleware. `check` raises Refused for a Host header that is none of ours; our routes ask it themselves."""

    def __init__(self, app: ASGIApp, check: Callable[[HTTPConnection], None]) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" or (scope["type"] == "http" and _is_asked_for_a_page(scope)):
            try:
                self._check(HTTPConnection(scope))
            except Refused as refused:
                if scope["type"] == "http":
                    await error_response(refused)(scope, receive, send)
                else:
                    await receive()  # the wish to connect
                    await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refused.code})
                return
        await self._app(scope, receive, send)


def _is_asked_for_a_page(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
