"""The example as it ships: read from lisbon.json, and stored as a new session."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib.chat_settings import ChatSettings
from lib.example import SOURCE
from lib.history import HistoryStore, Recording
from lib.messages import Message
from lib.stored_turns import read_turn

FILE = Path(__file__).with_name("lisbon.json")


def recorded() -> Recording:
    """The example with the settings it was made with."""
    return from_json(json.loads(FILE.read_text(encoding="utf-8")))


def open_as(session_id: str, store: HistoryStore, own: ChatSettings) -> None:
    """Store a copy of the example in a new session, to be continued with the model of `own`.

    Window and strategy are the example's. A model that needs more room for its reply gets that on top, so that the
    next request holds as much as the example's requests did. Raises ImportRefused if the session has messages, or
    HistoryUnavailable.
    """
    example = recorded()
    made_with = own.updated(example.settings)
    reserve = max(own.reply_tokens, made_with.reserved_for_reply)
    room = max(0, made_with.max_tokens - made_with.reserved_for_reply)
    settings = replace(made_with.in_window(room + reserve, reserve), provider=own.provider, model=own.model)
    store.restore(session_id, replace(example, settings=settings.to_dict()))


def from_json(stored: dict[str, Any]) -> Recording:
    """Read a recording from its JSON object. Raises KeyError, TypeError or ValueError if it is not one."""
    return Recording(
        str(stored["title"]),
        [Message.from_dict(message) for message in stored["messages"]],
        [read_turn(turn, number) for number, turn in enumerate(stored["turns"], 1)],
        dict(stored["settings"]),
        SOURCE,
    )


def to_json(recording: Recording) -> str:
    """A recording as the text of the file. `from_json` reads its object."""
    stored = {
        "title": recording.title,
        "settings": dict(recording.settings),
        "messages": [message.to_dict() for message in recording.messages],
        "turns": [turn.to_dict() for turn in recording.turns],
    }
    return json.dumps(stored, ensure_ascii=False, indent=1) + "\n"
