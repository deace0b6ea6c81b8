"""Sends a message that came over HTTP as an ordinary turn, and follows it until it ends.

The turn belongs to its own thread (lib/chat/turn_worker.py): it goes on if the client leaves, and every page that shows
the chat follows it too. These functions block.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from lib.api.conversations import Conversations
from lib.api.errors import invalid
from lib.api.shapes import NewMessage
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import ChatError, TurnLost
from lib.generation import Generation
from lib.turns import LiveTurn, Turn

VIA = "http"
LOOKED_AT = 20
"""Turns among which a finished one is looked for: others may have ended since."""


def new_id() -> str:
    """The id of a new session."""
    return str(uuid.uuid4())


def begin(conversations: Conversations, chat: ChatService, session_id: str, asked: NewMessage) -> LiveTurn:
    """Store the message as the session's live turn and start answering it.

    An interrupted turn that a program began is replaced, because nobody may be looking at it; so is one with the same
    message. Any other one waits for the person who typed it: TurnInProgress.
    """
    stored = chat.store.about(session_id).settings
    settings = _settings(conversations, stored, asked)
    before = chat.live(session_id)
    if not stored:
        chat.store.save_settings(session_id, settings.to_dict())
    if before is not None and before.interrupted and before.prompt == asked.message:
        return chat.retry(session_id, before, settings, conversations.open_provider, via=VIA)
    given_up = before is not None and before.interrupted and before.via == VIA
    instead_of = before.id if before is not None and given_up else None
    return chat.send(session_id, asked.message, settings, conversations.open_provider, instead_of=instead_of, via=VIA)


def _settings(conversations: Conversations, stored: Mapping[str, Any], asked: NewMessage) -> ChatSettings:
    """The chat's settings, with the provider, model and generation settings that the request names. Raises Refused."""
    offered = conversations.endpoints()
    if asked.provider is not None and asked.provider not in offered:
        raise invalid(f"There is no provider of this name. Those that are set up: {', '.join(offered)}.")
    settings = conversations.settings(stored, asked.provider)
    if asked.generation is not None:
        settings = replace(settings, generation=Generation.of(msgspec.structs.asdict(asked.generation)))
    return settings if asked.model is None else replace(settings, model=asked.model)


def outcome(chat: ChatService, session_id: str, live: LiveTurn) -> Turn:
    """How a turn ended, from the last state that was seen of it. Raises the ChatError that ended it."""
    if live.error is not None:
        raise live.error
    for turn in reversed(chat.store.turns(session_id, LOOKED_AT)):
        if turn.id == live.id:
            return turn
    now = chat.live(session_id)
    if now is None or now.id != live.id:
        raise TurnLost("The chat was cleared, or the message discarded, while it was being answered.")
    raise now.error or ChatError(
        "The reply was interrupted: the app that was writing it stopped, or cannot write to the history store.",
        next_step="Send the same message again.",
    )
