"""The HTTP routes of the app's own port: /api/chat, /api/health and /api/openapi.json."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from lib.api.access import Access
from lib.api.conversations import Conversations
from lib.api.endpoint import Endpoint
from lib.api.guards import Guard
from lib.api.health import health
from lib.api.threads import Threads

if TYPE_CHECKING:
    from lib.api.chat import ChatRoutes


def routes(conversations: Conversations, guard: Guard, access: Access) -> list[BaseRoute]:
    """The routes, in the order in which they are tried. Every other address below /api is 404 as JSON.

    Making them reads no setting, opens nothing and imports little: that happens when the first request comes.
    """
    threads = Threads()

    @cache
    def chat() -> ChatRoutes:
        from lib.api.chat import ChatRoutes

        return ChatRoutes(conversations, access, threads)

    async def post(request: Request) -> Response:
        return await chat().post(request)

    async def get(request: Request) -> Response:
        return await chat().get(request)

    async def delete(request: Request) -> Response:
        return await chat().delete(request)

    async def description(request: Request) -> Response:
        from lib.api.errors import json_response
        from lib.api.openapi import document

        return json_response(document(await threads.run(conversations.endpoints)))

    return [
        Route("/api/chat", Endpoint({"POST": post}, guard.check_caller)),
        Route("/api/chat/{session_id}", Endpoint({"GET": get, "DELETE": delete}, guard.check_caller)),
        Route("/api/health", Endpoint({"GET": health(conversations, threads)}, guard.check_stranger)),
        Route("/api/openapi.json", Endpoint({"GET": description}, guard.check_caller)),
        Route("/api", Endpoint({}, guard.check_stranger)),
        Route("/api/{rest:path}", Endpoint({}, guard.check_stranger)),
    ]
