"""Which names a browser may come by: a page of another site must not run the app by pointing its name here."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from lib.ui.shell import http_routes

PAGE = {"accept": "text/html,*/*;q=0.8"}


async def stream(connection: WebSocket) -> None:
    await connection.accept()
    await connection.send_text("every chat")
    await connection.close()


async def page(request: Request) -> HTMLResponse:
    return HTMLResponse("the app")


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Streamlit's options. The app's own configuration makes the server listen on loopback."""
    chosen: dict[str, Any] = {"server.address": "127.0.0.1", "server.allowedHosts": []}
    ask = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: chosen[name] if name in chosen else ask(name))
    return chosen


def browser(host: str, **headers: str) -> TestClient:
    """A browser on this machine, which came by this name. Everything passes through the app's own middleware."""
    routes = [WebSocketRoute("/_stcore/stream", stream), Route("/", page)]
    app = Starlette(routes=routes, middleware=http_routes.middleware())
    sent = {"host": host, "origin": f"http://{host}", **headers}
    return TestClient(app, "http://127.0.0.1:8501", headers=sent, client=("127.0.0.1", 40_000))


def sees_chats(client: TestClient) -> bool:
    try:
        with client.websocket_connect("ws://127.0.0.1:8501/_stcore/stream") as connection:
            return connection.receive_text() == "every chat"
    except WebSocketDisconnect:
        return False


@pytest.mark.parametrize("host", ["evil.example:8501", "127.0.0.1.evil.example:8501", "localhost.evil.example", "[::"])
def test_a_name_that_somebody_pointed_here_opens_nothing(options: dict[str, Any], host: str) -> None:
    client = browser(host)
    assert not sees_chats(client)
    refused = client.get("/", headers=PAGE)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "wrong_host")
    assert "server.allowedHosts" in refused.json()["error"]["next_step"]


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "[::1]:8501"])
def test_the_names_of_this_machine_open_the_app(options: dict[str, Any], host: str) -> None:
    assert sees_chats(browser(host))
    assert browser(host).get("/", headers=PAGE).text == "the app"


def test_a_name_that_is_allowed_opens_the_app_and_no_other_does(options: dict[str, Any]) -> None:
    options["server.allowedHosts"] = ["chats.example.org"]
    assert sees_chats(browser("chats.example.org"))
    assert not sees_chats(browser("evil.example"))


def test_a_proxy_and_a_server_that_others_reach_have_names_of_their_own(options: dict[str, Any]) -> None:
    assert sees_chats(browser("chats.example.org", **{"x-forwarded-for": "198.51.100.7"}))
    options["server.address"] = None
    assert sees_chats(browser("chats.example.org"))
