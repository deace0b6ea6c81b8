"""The replica's ASGI application: the only module that knows Starlette.

A request is answered only with the key and with a Host header of this machine. Every response carries LABEL, none can
be read by a web page of another origin, and errors have the vendor's shape.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lib.replica.errors import Refused, anthropic_error, openai_error, overflow
from lib.replica.http_values import LABEL, LABEL_HEADER, Answer, Call, Events, Json, Route, hex_id
from lib.replica.reply import ModelFailed

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response, StreamingResponse
    from starlette.types import Receive, Scope, Send

MOST_BYTES = 8_000_000
"""The largest request body."""
HOSTS = ("127.0.0.1", "localhost", "[::1]")
ANTHROPIC_PATH = "/v1/messages"


def application(routes: Sequence[Route], key: str, on_stop: Callable[[], Awaitable[None]]) -> Starlette:
    """The application for these routes. `on_stop` is awaited when the server stops."""
    from starlette.applications import Starlette
    from starlette.routing import Route as StarletteRoute

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await on_stop()

    def endpoint(route: Route | None) -> Callable[[Request], Awaitable[Response | _ClosingStream]]:
        async def answer(request: Request) -> Response | _ClosingStream:
            return _response(await _handle(request, route, key))

        return answer

    every_method = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    known = [StarletteRoute(route[1], endpoint(route), methods=[route[0]]) for route in routes]
    unknown = StarletteRoute("/{path:path}", endpoint(None), methods=every_method)
    return Starlette(routes=[*known, unknown], lifespan=lifespan)


async def _handle(request: Request, route: Route | None, key: str) -> Answer | Events:
    """The answer to a request, errors included. A request without a route is an invalid URL."""
    anthropic = request.url.path.startswith(ANTHROPIC_PATH)
    try:
        _check_caller(request, key, anthropic=anthropic)
        if route is None:
            message = f"Invalid URL ({request.method} {request.url.path})"
            if anthropic:
                raise anthropic_error(message, status=404, kind="not_found_error")
            raise openai_error(message, status=404)
        body = await _body(request, anthropic=anthropic)
        call = Call(request.path_params, dict(request.query_params), dict(request.headers), body)
        return await route[2](call)
    except Refused as exc:
        return exc.answer
    except ModelFailed as exc:
        return _model_error(exc, anthropic=anthropic)


def _check_caller(request: Request, key: str, *, anthropic: bool) -> None:
    """Refuse a wrong key, and a host name that is not this machine's: a web page may have pointed its own name here."""
    host = request.headers.get("host", "").rsplit(":", 1)[0]
    if host not in HOSTS:
        raise openai_error("This server answers to this machine only.", status=403, kind="permission_error")
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not any(
        secrets.compare_digest(given.encode(), key.encode()) for given in (bearer, request.headers.get("x-api-key", ""))
    ):
        if anthropic:
            raise anthropic_error("invalid x-api-key", status=401, kind="authentication_error")
        raise openai_error("Incorrect API key provided.", status=401, code="invalid_api_key")


async def _body(request: Request, *, anthropic: bool) -> Json:
    """The JSON object of a request; empty if it has no body."""
    error = anthropic_error if anthropic else openai_error
    pieces: list[bytes] = []
    async for piece in request.stream():
        pieces.append(piece)
        if sum(map(len, pieces)) > MOST_BYTES:
            raise error("The request is too large.", status=413)
    raw = b"".join(pieces)
    try:
        body = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise error("We could not parse the JSON body of your request. The API expects a JSON object.")
    return body


def _model_error(failed: ModelFailed, *, anthropic: bool) -> Answer:
    """A failure of the model as the vendor's server words it."""
    if anthropic:
        if failed.overflow:
            return anthropic_error(f"prompt is too long: {failed.message}").answer
        if failed.status == 429:
            return anthropic_error(failed.message, status=429, kind="rate_limit_error").answer
        return anthropic_error(failed.message, status=500, kind="api_error").answer
    if failed.overflow:
        return overflow().answer
    if failed.status == 429:
        return openai_error(failed.message, status=429, kind="requests", code="rate_limit_exceeded").answer
    return openai_error(failed.message, status=500, kind="server_error", code="server_error").answer


def _response(result: Answer | Events) -> Response | _ClosingStream:
    from starlette.responses import Response, StreamingResponse

    headers = {LABEL_HEADER: LABEL, "cache-control": "no-store", "x-request-id": hex_id("req"), **result.headers}
    if isinstance(result, Answer):
        content = json.dumps(result.body, ensure_ascii=False).encode(errors="replace")
        return Response(content, result.status, headers, "application/json")
    stream = StreamingResponse(result.events, headers=headers, media_type="text/event-stream")
    return _ClosingStream(stream, result)


class _ClosingStream:
    """A streamed response that closes its events even if the reader leaves before their end, or before their
    beginning."""

    def __init__(self, response: StreamingResponse, events: Events) -> None:
        self._response = response
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._response(scope, receive, send)
        finally:
            try:
                await self._events.events.aclose()
            finally:
                self._events.close()
