"""HTTP: routes, the key, the Host check and server-sent events.

What for: the one place that knows Starlette. The rule: nothing is answered without the key and a Host of this machine, every
answer carries LABEL, no answer lets a web page of another origin read it, and a refusal has the vendor's shape. It leaves out
what is answered.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lib.replica.http_values import (
    LABEL,
    LABEL_HEADER,
    Answer,
    Call,
    Events,
    Json,
    Refused,
    Route,
    claude_refuse,
    hex_id,
    overflow,
    refuse,
)
from lib.replica.model import ModelFailed

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response, StreamingResponse
    from starlette.types import Receive, Scope, Send

MOST_BYTES = 8_000_000
"""The largest body of a request."""
HOSTS = ("127.0.0.1", "localhost", "[::1]")
CLAUDE = "/v1/messages"


def application(routes: Sequence[Route], key: str, at_end: Callable[[], Awaitable[None]]) -> Starlette:
    """The ASGI application. `at_end` is awaited when the server stops."""
    from starlette.applications import Starlette
    from starlette.routing import Route as WebRoute

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await at_end()

    def endpoint(route: Route) -> Callable[[Request], Awaitable[Response | _Streamed]]:
        async def answer(request: Request) -> Response | _Streamed:
            return _response(await _handled(request, route, key))

        return answer

    async def nowhere(request: Request) -> Response | _Streamed:
        return _response(await _handled(request, None, key))

    known = [WebRoute(route[1], endpoint(route), methods=[route[0]]) for route in routes]
    every = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return Starlette(routes=[*known, WebRoute("/{path:path}", nowhere, methods=every)], lifespan=lifespan)


async def _handled(request: Request, route: Route | None, key: str) -> Answer | Events:
    """What is answered, errors included."""
    claude = request.url.path.startswith(CLAUDE)
    try:
        _check_caller(request, key, claude=claude)
        if route is None:
            what = f"Invalid URL ({request.method} {request.url.path})"
            raise claude_refuse(what, status=404, kind="not_found_error") if claude else refuse(what, status=404)
        body = await _body(request, claude=claude)
        call = Call(request.path_params, dict(request.query_params), dict(request.headers), body)
        return await route[2](call)
    except Refused as exc:
        return exc.answer
    except ModelFailed as exc:
        return _failure(exc, claude=claude)


def _check_caller(request: Request, key: str, *, claude: bool) -> None:
    """Refuse a name that is not this machine's (a web page may have pointed its own name here), and a wrong key."""
    host = request.headers.get("host", "").rsplit(":", 1)[0]
    if host not in HOSTS:
        raise refuse("This server answers to this machine only.", status=403, kind="permission_error")
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not any(
        secrets.compare_digest(given.encode(), key.encode()) for given in (bearer, request.headers.get("x-api-key", ""))
    ):
        if claude:
            raise claude_refuse("invalid x-api-key", status=401, kind="authentication_error")
        raise refuse("Incorrect API key provided.", status=401, code="invalid_api_key")


async def _body(request: Request, *, claude: bool) -> Json:
    """The JSON object of the request, empty where there is none."""
    pieces: list[bytes] = []
    async for piece in request.stream():
        pieces.append(piece)
        if sum(map(len, pieces)) > MOST_BYTES:
            raise (claude_refuse if claude else refuse)("The request is too large.", status=413)
    raw = b"".join(pieces)
    try:
        body = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        what = "We could not parse the JSON body of your request. The API expects a JSON object."
        raise (claude_refuse if claude else refuse)(what)
    return body


def _failure(failed: ModelFailed, *, claude: bool) -> Answer:
    """The model's failure as the vendor's server words it."""
    if failed.overflow:
        return (claude_refuse(f"prompt is too long: {failed.message}") if claude else overflow()).answer
    if failed.status == 429:
        if claude:
            return claude_refuse(failed.message, status=429, kind="rate_limit_error").answer
        return refuse(failed.message, status=429, kind="requests", code="rate_limit_exceeded").answer
    if claude:
        return claude_refuse(failed.message, status=500, kind="api_error").answer
    return refuse(failed.message, status=500, kind="server_error", code="server_error").answer


def _response(result: Answer | Events) -> Response | _Streamed:
    from starlette.responses import Response, StreamingResponse

    headers = {LABEL_HEADER: LABEL, "cache-control": "no-store", "x-request-id": hex_id("req"), **result.headers}
    if isinstance(result, Answer):
        content = json.dumps(result.body, ensure_ascii=False).encode(errors="replace")
        return Response(content, result.status, headers, "application/json")
    return _Streamed(StreamingResponse(result.events, headers=headers, media_type="text/event-stream"), result)


class _Streamed:
    """A streamed answer that is tidied up after, also when the reader goes away before its end or its beginning."""

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
                self._events.done()
