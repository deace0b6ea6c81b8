"""Decides what of a message counts as text. Every counter asks here.

Encrypted reasoning, signatures, and the base64 of images and files are never text: counted as text they come out five
to ten times too large. Images are counted apart, by their size in pixels where a vendor says how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from lib.message_parts import Image, Other, Part, Reasoning, Text, ToolCall, ToolResult, as_json, part_of, parts_of
from lib.messages import Message

NON_TEXT_PART = 85
"""Tokens for a part that is no text and whose size is not known: OpenAI's documented size of a small image, and so a
lower bound. A large image has ten times as many."""


class Counted(NamedTuple):
    """A message with its text only, and what is counted apart: its images, and how many other parts it has."""

    message: Message
    images: tuple[Image, ...] = ()
    others: int = 0


def counted(message: Message) -> Counted:
    """What counts of a message.

    Example: content [a text, an image, redacted thinking] -> the message with the text alone, and the image
    """
    if not isinstance(message.content, list):
        return Counted(message)
    kept: list[Any] = []
    apart: list[Image | Other] = []
    for stored in message.content:
        part = part_of(stored)
        kept += _as_text(part, stored)
        apart += _apart(part)
    images = tuple(part for part in apart if isinstance(part, Image))
    return Counted(replace(message, content=kept), images, len(apart) - len(images))


class MessageTexts(NamedTuple):
    """What is counted of a message as text, and the number of its tool calls."""

    texts: list[str]
    calls: int = 0


def texts_of(message: Message) -> MessageTexts:
    """What is tokenized of a message that `counted` returned."""
    texts: list[str] = []
    calls = 0
    for part in parts_of(message):
        if isinstance(part, Text):
            texts.append(part.text)
        elif isinstance(part, ToolCall):
            texts += [part.name, as_json(part.arguments)]
            calls += 1
        elif isinstance(part, ToolResult):
            texts += [each.text for each in part.parts if isinstance(each, Text)]
        elif isinstance(part, Reasoning) and part.in_content:
            texts.append(part.text)
    return MessageTexts(texts, calls)


def text_of(message: Message) -> str:
    """All that counts as text in a message, for people: a string unchanged, of parts one below the other."""
    if isinstance(message.content, str) and not message.extra:
        return message.content
    return "\n".join(text for text in texts_of(counted(message).message).texts if text)


def _as_text(part: Part, stored: Any) -> list[Any]:
    """A part as it counts: in the form of the protocols, so that a server's template can be asked about it too."""
    if isinstance(part, Text):
        return [stored]
    if isinstance(part, ToolCall):
        return [stored if _is_type(stored, "tool_use") else _call(part)]
    if isinstance(part, Reasoning) and part.in_content and part.text:
        return [{"type": "thinking", "thinking": part.text}]
    if isinstance(part, ToolResult):
        content = stored.get("content")
        if _is_type(stored, "tool_result") and (content is None or isinstance(content, str)):
            return [stored]
        texts = [{"type": "text", "text": each.text} for each in part.parts if isinstance(each, Text)]
        return [{"type": "tool_result", "tool_use_id": part.call_id, "content": texts}]
    return []


def _apart(part: Part) -> list[Image | Other]:
    if isinstance(part, ToolResult):
        return [each for each in part.parts if isinstance(each, Image | Other)]
    return [part] if isinstance(part, Image | Other) else []


def _call(call: ToolCall) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}


def _is_type(stored: Any, kind: str) -> bool:
    return isinstance(stored, Mapping) and stored.get("type") == kind
