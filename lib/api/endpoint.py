"""Endpoint: one address of the HTTP routes, with its methods, its guards, and its errors as JSON."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lib.api.errors import Refused, error_response, not_found, unexpected
from lib.errors import ChatError

Handler = Callable[[Request], Awaitable[Response]]
Check = Callable[[Request], None]
"""Raises Refused for a request that must not be answered."""

log = logging.getLogger(__name__)


class Endpoint:
    """An ASGI application for one address. Without handlers, the address does not exist.

    `check` runs before everything else, also for addresses and methods that do not exist.
    """

    def __init__(self, handlers: Mapping[str, Handler], check: Check) -> None:
        self._handlers = dict(handlers)
        self._check = check
        if "GET" in handlers:
            self._handlers.setdefault("HEAD", handlers["GET"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        """The response to a request, errors included."""
        try:
            self._check(request)
            if not self._handlers:
                raise not_found()
            handler = self._handlers.get(request.method)
            if handler is None:
                allowed = ", ".join(self._handlers)
                what = f"This address does not take {request.method[:20]}, but {allowed}."
                raise Refused(405, "method_not_allowed", what, headers={"allow": allowed})
            return await handler(request)
        except (ChatError, Refused) as error:
            return error_response(error)
        except ClientDisconnect:
            raise
        except Exception as error:
            log.exception("%s %s failed", request.method, request.url.path)
            return error_response(unexpected(error))
