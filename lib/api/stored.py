"""A stored chat as GET /api/chat/{sessionId} shows it. Reading changes nothing, the time to live included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib.api.conversations import Conversations
from lib.api.errors import body_of, no_such_session
from lib.chat.service import ChatService
from lib.messages import Message
from lib.turns import LiveTurn, Turn


def stored_chat(
    conversations: Conversations, chat: ChatService, session_id: str, limit: int, before: int | None
) -> dict[str, Any]:
    """The chat with `limit` messages, those before the stored index `before`, or the newest.

    Raises Refused (404) where nothing is stored.
    """
    store, live = chat.store, chat.live(session_id)
    history, about = store.load(session_id), store.about(session_id)
    if not history and live is None and about.created_at is None and not about.settings:
        raise no_such_session()
    settings = conversations.settings(about.settings)
    stop = len(history) if before is None else min(before, len(history))
    first = max(0, stop - limit)
    return {
        "sessionId": session_id,
        "title": about.title,
        "provider": settings.provider,
        "model": settings.model,
        "total": len(history),
        "first": first,
        "messages": _messages(history, first, stop),
        "turns": [_turn(turn) for turn in store.turns(session_id, limit)],
        "live": None if live is None else _live(live),
        "expiresIn": store.expires_in(session_id),
    }


def _messages(history: Sequence[Message], first: int, stop: int) -> list[dict[str, Any]]:
    return [history[index].to_dict() for index in range(first, stop)]


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "number": turn.number,
        "status": turn.status,
        "provider": turn.provider,
        "model": turn.model,
        "stopReason": turn.stop_reason,
        "usage": turn.usage.to_dict(),
    }


def _live(live: LiveTurn) -> dict[str, Any]:
    error = None if live.error is None else body_of(live.error)["error"]
    return {"prompt": live.prompt, "text": live.text, "interrupted": live.interrupted, "error": error}
