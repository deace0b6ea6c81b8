"""Keeps Streamlit from compressing what the recorder's routes pass on: an answer must arrive as it was sent."""

from __future__ import annotations

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
            hidden = [header for header in scope["headers"] if header[0].lower() == b"accept-encoding"]
            kept = [header for header in scope["headers"] if header[0].lower() != b"accept-encoding"]
            scope = {**scope, "headers": kept, ACCEPTED: hidden}
        await self._app(scope, receive, send)
