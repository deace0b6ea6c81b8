"""The routes of one chat: POST /api/chat, and GET and DELETE of /api/chat/{sessionId}."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lib.api import turns
from lib.api.access import Access
from lib.api.conversations import Conversations
from lib.api.errors import json_response
from lib.api.follower import Follower
from lib.api.guards import read_json
from lib.api.incoming import chat_request, session_in_path, window_of
from lib.api.stored import stored_chat
from lib.api.threads import Threads

STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class ChatRoutes:
    """The handlers of these routes."""

    def __init__(self, conversations: Conversations, access: Access, threads: Threads) -> None:
        self._conversations = conversations
        self._access = access
        self._threads = threads

    async def post(self, request: Request) -> Response:
        """Send a message, and answer with the reply, or with its pieces as they come."""
        asked = chat_request(await read_json(request))
        session_id = asked.session_id or turns.new_id()

        def begin() -> Follower:
            self._access.may(request, session_id, True)
            chat = self._access.chat(request)
            live = turns.begin(self._conversations, chat, session_id, asked)
            return Follower(chat, session_id, live, self._threads)

        follower = await self._threads.run(begin)
        if "text/event-stream" in request.headers.get("accept", ""):
            return StreamingResponse(follower.events(), headers=STREAM_HEADERS, media_type="text/event-stream")
        return json_response(await follower.reply())

    async def get(self, request: Request) -> Response:
        """The chat as it is stored."""
        session_id, (limit, before) = session_in_path(request), window_of(request)

        def read() -> dict[str, Any]:
            self._access.may(request, session_id, False)
            return stored_chat(self._conversations, self._access.chat(request), session_id, limit, before)

        return json_response(await self._threads.run(read))

    async def delete(self, request: Request) -> Response:
        """Delete the chat. One that does not exist is cleared too, as in the source document."""
        session_id = session_in_path(request)

        def clear() -> None:
            self._access.may(request, session_id, True)
            self._access.chat(request).store.clear(session_id)

        await self._threads.run(clear)
        return json_response({"message": "Session cleared"})
