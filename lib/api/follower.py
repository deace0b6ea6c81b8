"""Follower: one client that waits for a turn, for its reply as a whole or for its pieces as they come.

A client that leaves is no longer waited for; the turn goes on and is stored.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from typing import Any

from lib.api import turns
from lib.api.errors import body_of, to_json, unexpected
from lib.api.threads import Threads
from lib.chat.service import ChatService
from lib.errors import ChatError
from lib.turns import LiveTurn, Turn

SILENCE_SECONDS = 10.0
"""After so long without a word a comment is sent, so that no proxy takes the connection for dead."""

log = logging.getLogger(__name__)


class Follower:
    """Follows one live turn. `live` is the last state that was seen of it."""

    def __init__(self, chat: ChatService, session_id: str, live: LiveTurn, threads: Threads) -> None:
        self.live = live
        self._chat = chat
        self._session_id = session_id
        self._threads = threads

    async def reply(self) -> dict[str, Any]:
        """The reply, when it is complete. Raises the ChatError that ended the turn."""
        async for live in self._states():
            self.live = live
        return self._body_of(await self._outcome())

    async def events(self) -> AsyncIterator[bytes]:
        """The turn as server-sent events: any number of `delta`, then `done` or `error`."""
        try:
            async for event in self._deltas():
                yield event
            turn = await self._outcome()
            rest = turn.reply.removeprefix(self.live.text)
            if rest and turn.reply.startswith(self.live.text):
                yield self._delta(rest)
            yield _event("done", self._body_of(turn))
        except ChatError as error:
            yield _event("error", body_of(error))
        except Exception as error:
            log.exception("following turn %s failed", self.live.id)
            yield _event("error", body_of(unexpected(error)))

    async def _deltas(self) -> AsyncIterator[bytes]:
        said_at = time.monotonic()
        async for live in self._states():
            before, self.live = self.live.text, live
            if live.text != before:
                yield self._delta(live.text[len(before) :])
            elif time.monotonic() - said_at > SILENCE_SECONDS:
                yield b": waiting\n\n"
            else:
                continue
            said_at = time.monotonic()

    def _states(self) -> AsyncIterator[LiveTurn]:
        return self._threads.each(self._chat.follow(self._session_id, self.live.id))

    async def _outcome(self) -> Turn:
        return await self._threads.run(lambda: turns.outcome(self._chat, self._session_id, self.live))

    def _delta(self, text: str) -> bytes:
        return _event("delta", {"sessionId": self._session_id, "text": text})

    def _body_of(self, turn: Turn) -> dict[str, Any]:
        return {"sessionId": self._session_id, "reply": turn.reply, "usage": turn.usage.to_dict()}


def _event(name: str, data: Any) -> bytes:
    """One server-sent event. In ASCII, because many clients also break lines where Unicode does, as at U+2028."""
    return b"event: " + name.encode() + b"\ndata: " + to_json(data, ascii_only=True) + b"\n\n"
