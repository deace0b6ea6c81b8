"""Writes conversations as OpenAI's JSONL for fine-tuning: an object with `messages` in each line.

Messages are written as they are stored, unknown fields included. Half a surrogate pair, which other programs refuse,
becomes U+FFFD.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lib.history.serialization import to_json
from lib.messages import Message, utf8_safe


def write(conversations: Iterable[tuple[str, Sequence[Message]]]) -> bytes:
    """The file. Each conversation is its system prompt (empty for none) and its messages.

    Example: write([("", [user("Hi")])]) -> b'{"messages":[{"role":"user","content":"Hi"}]}\\n'
    """
    return b"".join(_line(system_prompt, messages) for system_prompt, messages in conversations)


def _line(system_prompt: str, messages: Sequence[Message]) -> bytes:
    first = [{"role": "system", "content": system_prompt}] if system_prompt.strip() else []
    return to_json({"messages": [*first, *(_safe(message.to_dict()) for message in messages)]}) + b"\n"


def _safe(value: Any) -> Any:
    """The value with every string as UTF-8 can hold it. Stored messages are at most 100 levels deep."""
    if isinstance(value, str):
        return utf8_safe(value)
    if isinstance(value, Mapping):
        return {utf8_safe(name): _safe(each) for name, each in value.items()}
    return [_safe(each) for each in value] if isinstance(value, list) else value
