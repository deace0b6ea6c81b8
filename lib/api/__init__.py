"""The HTTP routes of the app's own port: /api/chat, /api/health and their description."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from lib.api.access import Access
from lib.api.conversations import Conversations
from lib.api.endpoint import Endpoint
from lib.api.guards import Guard, check_origin
from lib.api.health import health


def routes(conversations: Conversations, guard: Guard, access: Access) -> list[BaseRoute]:
    """The routes, in the order in which they are tried. Every other address below /api is 404 as JSON.

    Making them reads no setting and opens nothing: that happens when the first request comes.
    """

    def check_stranger(request: Request) -> None:
        guard.check_host(request)
        check_origin(request)

    return [
        Route("/api/health", Endpoint({"GET": health(conversations)}, check_stranger)),
        Route("/api", Endpoint({}, check_stranger)),
        Route("/api/{rest:path}", Endpoint({}, check_stranger)),
    ]
