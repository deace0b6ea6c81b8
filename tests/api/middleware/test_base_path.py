"""The HTTP routes answer under the app's base path and without it, and other paths stay as they are."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from lib.api.middleware.base_path import BasePath


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.url.path} {request.scope['raw_path'].decode()}")


@pytest.mark.parametrize(
    ("base", "asked", "arrives"),
    [
        ("/windowseat", "/windowseat/v1/messages", "/v1/messages"),
        ("/windowseat", "/v1/messages", "/v1/messages"),
        ("/a/b", "/a/b/api/chat/caf%C3%A9", "/api/chat/caf%C3%A9"),
        ("/windowseat", "/windowseat/sessions", "/windowseat/sessions"),
        ("/windowseat", "/windowseats/v1/messages", "/windowseats/v1/messages"),
        ("/", "/v1/messages", "/v1/messages"),
    ],
)
def test_only_our_routes_lose_the_base_path(base: str, asked: str, arrives: str) -> None:
    app = Starlette(routes=[Route("/{rest:path}", echo)])
    answer = TestClient(BasePath(app, lambda: base)).get(asked)
    path, raw_path = answer.text.split(" ")
    assert raw_path == arrives
    assert path in (arrives, arrives.replace("%C3%A9", "é"))
