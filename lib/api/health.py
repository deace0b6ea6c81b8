"""GET /api/health: whether the app answers and its store does. It needs no token and says nothing about the app."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lib.api.conversations import Conversations
from lib.api.endpoint import Handler
from lib.api.errors import json_response
from lib.api.threads import Threads


def health(conversations: Conversations, threads: Threads) -> Handler:
    """The handler. Where the store does not answer, the response is 503."""

    async def get(request: Request) -> Response:
        await threads.run(lambda: conversations.chat().store.ping())
        return json_response({"status": "ok"})

    return get
