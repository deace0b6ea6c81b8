"""Reads a prompt that is written as messages: a system prompt, if any, and one message of a user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.messages import SYSTEM_ROLES
from lib.prompt_sets.reading.text import plain


def from_messages(messages: Sequence[Any]) -> tuple[str, str]:
    """The system prompt and the text. Raises ValueError for a conversation that is longer, or has other parts."""
    system: list[str] = []
    text: list[str] = []
    for message in messages:
        if not isinstance(message, Mapping) or "role" not in message:
            raise ValueError("it is a list, but not of messages with a role")
        content = plain(message.get("content"))
        if message["role"] in SYSTEM_ROLES and not text:
            system.append(content)
        elif message["role"] == "user" and not text:
            text.append(content)
        else:
            raise ValueError("it is a conversation of several turns, and each prompt here is one request")
    if not text:
        raise ValueError("it has no message of a user")
    return "\n\n".join(system), text[0]
