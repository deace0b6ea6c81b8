"""Serves the HTTP routes under the app's base path too, as a proxy forwards them that passes on nothing else."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

PREFIXES = ("/api/", "/v1/")
"""How the paths of our routes begin. Streamlit serves its own paths under the base path by itself."""


class BasePath:
    """ASGI middleware. `base` gives the base path, e.g. "/windowseat", or "/" without one."""

    def __init__(self, app: ASGIApp, base: Callable[[], str]) -> None:
        self._app = app
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        base = self._base().rstrip("/")
        if base and scope["type"] == "http" and scope["path"].startswith(tuple(base + prefix for prefix in PREFIXES)):
            scope = {**scope, "path": scope["path"].removeprefix(base)}
            if scope.get("raw_path") is not None:
                scope["raw_path"] = scope["raw_path"].removeprefix(base.encode())
        await self._app(scope, receive, send)
