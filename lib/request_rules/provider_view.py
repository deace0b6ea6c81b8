"""Works out what a provider gets of a message, and whether it knows the message's role and parts.

This repeats what the adapters in lib/providers do, because a rule is about the request and not about what is stored.
Anthropic gets only role and content, with system messages moved out; OpenAI gets the fields that its protocol has. A
part of a type that neither provider has is taken to be fine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib.messages import SYSTEM_ROLES, Message
from lib.request_rules.rules import RuleProvider

TOOL_PARTS = ("tool_use", "tool_result")
OPENAI_ROLES = (*SYSTEM_ROLES, "user", "assistant", "tool")
ANTHROPIC_ROLES = (*SYSTEM_ROLES, "user", "assistant")
OPENAI_PARTS = ("image_url", "input_audio", "file", "refusal")
ANTHROPIC_PARTS = (*TOOL_PARTS, "image", "document", "thinking", "redacted_thinking")


def knows_role(provider: RuleProvider, role: str) -> bool:
    """Whether the provider accepts messages of this role. Example: knows_role("anthropic", "tool") -> False"""
    return role in (ANTHROPIC_ROLES if provider == "anthropic" else OPENAI_ROLES)


def knows_part(provider: RuleProvider, part: object) -> bool:
    """Whether this content part is not one of the other provider's types."""
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        return False
    return part["type"] not in (OPENAI_PARTS if provider == "anthropic" else ANTHROPIC_PARTS)


def knows_message(provider: RuleProvider, message: Message) -> bool:
    """Whether the provider knows the role and every part. Anthropic gets any system message as text."""
    if provider == "anthropic" and message.is_system:
        return True
    if not knows_role(provider, message.role):
        return False
    content = message.content
    if isinstance(content, list):
        return all(knows_part(provider, part) for part in content)
    return content is None or isinstance(content, str)


def as_known(provider: RuleProvider, message: Message) -> Message | None:
    """The message with only the fields that are sent and the parts that the provider knows; None if none is left."""
    if provider == "anthropic" and not message.is_system:
        message = replace(message, extra={}) if message.extra else message
    if knows_message(provider, message):
        return message
    content = message.content
    if not knows_role(provider, message.role) or not isinstance(content, list):
        return None
    known = [part for part in content if knows_part(provider, part)]
    return replace(message, content=known) if known else None


def is_empty(provider: RuleProvider, message: Message) -> bool:
    """Whether the provider calls this content empty. Not meant for system messages to Anthropic, sent as one text."""
    content, calls = message.content, message.extra.get("tool_calls")
    if provider == "anthropic":
        return content is None or content == [] or any(map(is_blank, texts_of(content)))
    if calls == [] or content == []:
        return True
    return content is None and not (message.role == "assistant" and (calls or message.extra.get("refusal")))


def texts_of(content: Any) -> list[Any]:
    """A string, or the text of each text part."""
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part.get("text") for part in parts if isinstance(part, Mapping) and part.get("type") == "text"]


def is_blank(text: object) -> bool:
    """Whether this is not a string, or one without anything but whitespace."""
    return not isinstance(text, str) or not text.strip()
