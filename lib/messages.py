"""Defines Message and Usage, the values that every other part of the app works with.

A message keeps everything that was stored: unknown fields stay, and its content may be a string, a list of a provider's
content parts or null. `Message.from_dict(stored).to_dict() == stored` holds for every stored object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib import outside_values

SYSTEM_ROLES = ("system", "developer")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, as it is stored.

    `role` is any string, because another service may write roles that we do not know; they are kept and shown.
    `extra` holds all fields other than role and content (tool_calls, name, ...). `has_content` is False if the stored
    object has no content field at all, which is not the same as a null one.

    Example: Message("user", "Hello").to_dict() -> {"role": "user", "content": "Hello"}
    """

    role: str
    content: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    has_content: bool = True

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Message:
        """Read one stored object. Raises ValueError, which says what is wrong, if it is not a message."""
        if not isinstance(stored, (dict, Mapping)):  # dict first, because checking for Mapping is slow
            raise ValueError(f"expected an object with role and content, found {type(stored).__name__}")
        role = stored.get("role")
        if not isinstance(role, str):
            raise ValueError(f"expected a role that is a string, found {role!r}")
        if len(stored) == 2 and "content" in stored:  # the usual shape, without building a second dict
            return cls(role, stored["content"])
        extra = {key: value for key, value in stored.items() if key not in ("role", "content")}
        return cls(role, stored.get("content"), extra, "content" in stored)

    def to_dict(self) -> dict[str, Any]:
        """The object as it was stored, unknown fields included."""
        content = {"content": self.content} if self.has_content else {}
        return {"role": self.role, **content, **self.extra}

    @property
    def text(self) -> str:
        """The content as text: strings unchanged, parts as JSON (as the source document does), null as empty."""
        if isinstance(self.content, str):
            return self.content
        return "" if self.content is None else json.dumps(self.content, ensure_ascii=False, separators=(",", ":"))

    @property
    def is_system(self) -> bool:
        return self.role in SYSTEM_ROLES


def user(content: str) -> Message:
    """A message from the person."""
    return Message("user", content)


def assistant(content: str) -> Message:
    """A message from the model."""
    return Message("assistant", content)


def system(content: str) -> Message:
    """Instructions to the model."""
    return Message("system", content)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that the provider reports for one request. None means not reported; an unknown number is never 0.

    The adapters in lib/providers normalise it: OpenAI's input includes cached tokens, Anthropic's does not.
    """

    input_tokens: int | None = None
    """All input, including cache reads and cache writes."""
    cached_tokens: int | None = None
    """The part of input_tokens that came from the provider's prompt cache."""
    cache_write_tokens: int | None = None
    """The part of input_tokens that was written to the provider's prompt cache."""
    output_tokens: int | None = None
    """All output, including hidden reasoning."""
    reasoning_tokens: int | None = None
    """The part of output_tokens that is hidden reasoning."""
    hidden_tokens: int | None = None
    """Input and output billed for steps that are not in the fields above, such as the provider's own compaction."""

    def to_dict(self) -> dict[str, int | None]:
        """The form in which a turn stores it."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Usage:
        """Read a stored usage. Missing numbers, and what is no count, become None."""
        return cls(**{name: outside_values.count(stored.get(name)) for name in cls.__slots__})


def utf8_safe(text: str) -> str:
    """The text with every lone surrogate replaced by U+FFFD, and surrogate pairs joined, so that UTF-8 can hold it.

    JavaScript cuts emoji in half and stores the halves. Only what is sent or drawn changes, never the stored message.
    Example: utf8_safe("\\ud83d\\ude00 \\ud83d") -> "😀 \\ufffd"
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
