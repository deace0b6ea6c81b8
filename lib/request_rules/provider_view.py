"""What of a message goes out, and what a provider does not know: the other provider's words for calls, images and roles.

The rule: this repeats what the adapters in lib/providers do, since a breach is about the request and not about what is
stored: Anthropic gets role and content only, with instructions lifted out; OpenAI gets what its protocol has fields for.
It leaves out part types that neither provider's words have: nothing is claimed about those.
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
    """Whether messages of this role are accepted at all. Example: knows_role("anthropic", "tool") -> False"""
    return role in (ANTHROPIC_ROLES if provider == "anthropic" else OPENAI_ROLES)


def knows_part(provider: RuleProvider, part: object) -> bool:
    """Whether this part of a content may be in the provider's words."""
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        return False
    return part["type"] not in (OPENAI_PARTS if provider == "anthropic" else ANTHROPIC_PARTS)


def is_known(provider: RuleProvider, message: Message) -> bool:
    """Whether the provider knows the role and every part. Instructions to Anthropic are sent as text, whatever they hold."""
    if provider == "anthropic" and message.is_system:
        return True
    if not knows_role(provider, message.role):
        return False
    content = message.content
    return all(knows_part(provider, part) for part in content) if isinstance(content, list) else is_text(content)


def is_text(content: Any) -> bool:
    """A string, or null, which every protocol has a place for."""
    return content is None or isinstance(content, str)


def as_known(provider: RuleProvider, message: Message) -> Message | None:
    """The message with what the provider knows of it, and of the fields what is sent; None where nothing is left."""
    if provider == "anthropic" and not message.is_system:
        message = replace(message, extra={}) if message.extra else message
    if is_known(provider, message):
        return message
    content = message.content
    if not knows_role(provider, message.role) or not isinstance(content, list):
        return None
    known = [part for part in content if knows_part(provider, part)]
    return replace(message, content=known) if known else None


def is_empty(provider: RuleProvider, message: Message) -> bool:
    """Whether its content is what the provider calls empty. Not for instructions to Anthropic, which go out as one text."""
    content, calls = message.content, message.extra.get("tool_calls")
    if provider == "anthropic":
        return content is None or content == [] or any(map(is_blank, texts_of(content)))
    if calls == [] or content == []:
        return True
    return content is None and not (message.role == "assistant" and (calls or message.extra.get("refusal")))


def texts_of(content: Any) -> list[Any]:
    """The text of a string, or of every text part."""
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part.get("text") for part in parts if isinstance(part, Mapping) and part.get("type") == "text"]


def is_blank(text: object) -> bool:
    """Nothing, or blanks alone."""
    return not isinstance(text, str) or not text.strip()
