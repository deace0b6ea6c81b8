"""Adds the security headers that Streamlit does not send, and answers unusable addresses below /api as JSON.

No other site may show the app in a frame, no image is fetched from elsewhere, and no browser may guess the type of what
the app sends. The session's id is part of the address, so the address is not told to other sites.
"""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib.api.errors import error_response, not_found

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "content-security-policy": "frame-ancestors 'self'; img-src 'self' data: blob:",
    "referrer-policy": "same-origin",
}
"""Components and embedded HTML are frames of the app itself, so those stay allowed. Images come from the app alone,
so that no text of a chat can make a browser fetch one from an address of its author's."""
USABLE = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]*)+")
"""A path in which every part has the characters of a session id. Streamlit answers some others with a plain text."""


class SecurityHeaders:
    """ASGI middleware. A header that the response has already stays as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        path = scope["path"]
        if path.startswith("/api/") and USABLE.fullmatch(path) is None:
            await error_response(not_found())(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)
