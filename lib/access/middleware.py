"""Gives visitors their cookie, with the first page that a browser asks for.

Streamlit's pages run over a WebSocket, where no cookie can be set. The browser opens it after the page's HTML, so it
brings the cookie along.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib.access.visitor_cookie import VisitorCookie


class SetVisitorCookie:
    """ASGI middleware. `cookie` and `path` are asked when the first page is sent, so that starting reads no setting;
    without a cookie, nothing is set."""

    def __init__(self, app: ASGIApp, cookie: Callable[[], VisitorCookie | None], path: Callable[[], str]) -> None:
        self._app = app
        self._cookie = cookie
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(asked, message):
                self._set(scope, asked, message)
            await send(message)

        await self._app(scope, receive, send_with_cookie)

    def _set(self, scope: Scope, asked: Headers, message: Message) -> None:
        cookie = self._cookie()
        if cookie is None:
            return
        secure = scope["scheme"] == "https" or asked.get("x-forwarded-proto", "").lower().startswith("https")
        value = cookie.renewal(HTTPConnection(scope).cookies, secure=secure, path=self._path())
        if value is not None:
            message["headers"] = list(message["headers"])
            headers = MutableHeaders(raw=message["headers"])
            headers.append("set-cookie", value)
            headers["cache-control"] = "private, no-store"  # no cache may give one visitor's cookie to another


def _is_page(asked: Headers, message: Message) -> bool:
    """Whether this is the response to a browser that opens a page, also if the page has not changed since (304)."""
    if message["status"] == 304:
        return "text/html" in asked.get("accept", "")
    return Headers(raw=message["headers"]).get("content-type", "").startswith("text/html")
