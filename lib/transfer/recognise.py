"""Says which format a parsed value has, by the names in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lib.transfer import Format
from lib.transfer.capsule import MARK
from lib.transfer.formats.anthropic import is_block
from lib.transfer.formats.draft import fields, objects

LOOKED_AT = 20
"""Elements of a file, and messages of a conversation, that are looked at."""


class Kind(NamedTuple):
    """A format, and whether the value is a single message of it and not a conversation."""

    format: Format
    is_message: bool = False


def recognise(value: Any) -> Kind | None:
    """The format of a conversation or a message. None for anything else.

    Example: recognise({"role": "user", "content": "Hi"}) -> Kind("openai", is_message=True)
    """
    named = fields(value)
    if MARK in named:
        return Kind("capsule")
    if isinstance(named.get("mapping"), Mapping):
        return Kind("chatgpt")
    if isinstance(named.get("chat_messages"), list):
        return Kind("claude")
    if fields(fields(named.get("chat") or named).get("history")).get("messages") is not None or (
        isinstance(fields(named.get("chat")).get("messages"), list)
    ):
        return Kind("open_webui")
    if "conversationId" in named and ("messages" in named or "messagesTree" in named):
        return Kind("librechat")
    said = objects(named.get("conversations"))
    if said and "from" in fields(said[0][1]):
        return Kind("sharegpt")
    if "from" in named and "value" in named:
        return Kind("sharegpt", is_message=True)
    return _messages(named)


def first_recognised(values: Iterable[Any]) -> Kind | None:
    """The format of the first value that has one."""
    kinds = [kind for value in values if (kind := recognise(value)) is not None]
    if kinds and kinds[0].is_message and any(kind.format == "anthropic" for kind in kinds):
        return Kind("anthropic", is_message=True)
    return kinds[0] if kinds else None


def _messages(named: Mapping[str, Any]) -> Kind | None:
    """OpenAI's form or Anthropic's: they differ in the system prompt and in the blocks of the content."""
    if isinstance(named.get("messages"), list):
        blocks = any(_has_blocks(fields(each)) for _, each in objects(named["messages"])[:LOOKED_AT])
        return Kind("anthropic" if "system" in named or blocks else "openai")
    if isinstance(named.get("role"), str) and ("content" in named or "tool_calls" in named):
        return Kind("anthropic" if _has_blocks(named) else "openai", is_message=True)
    return None


def _has_blocks(message: Mapping[str, Any]) -> bool:
    return any(is_block(part) for _, part in objects(message.get("content"))[:LOOKED_AT])
