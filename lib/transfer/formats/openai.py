"""Reads messages in OpenAI's form, and fine-tuning examples. They are stored exactly as they are.

The shape is that of the body of a request to /v1/chat/completions, in the SDK `openai.types.chat`: an array of
messages, or an object with `messages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.transfer import Conversation
from lib.transfer.formats.draft import Draft, objects

NOT_MESSAGES = ("tools", "functions", "response_format")
"""Fields of a request that say something about it and are no messages."""


def read(value: Mapping[str, Any], where: str) -> list[Conversation]:
    """The conversation of an object with `messages`."""
    draft = Draft(where, value.get("title") or value.get("name"), value.get("created_at") or value.get("created"))
    for name in NOT_MESSAGES:
        if value.get(name):
            draft.lose(name, "", f"“{name}” belongs to a request, not to a history")
    for place, message in objects(value.get("messages")):
        draft.add(message if isinstance(message, dict) else {"role": None, "content": message}, f"messages[{place}]")
    return [draft.done()]
