"""How many tokens one part of a message is, and who says so."""

from __future__ import annotations

from typing import Any, NamedTuple

from lib.message_parts import Image, Other, Part, Reasoning, Text, ToolCall, ToolResult
from lib.messages import Message
from lib.tokens import Provenance, TokenCounter
from lib.tokens.counted import NON_TEXT_PART
from lib.tokens.image_sizes import image_tokens
from lib.tokens.model_counters import LocalCounter


class PartSize(NamedTuple):
    """Tokens of a part; None if nobody knows. `source` is where an image's formula comes from."""

    tokens: int | None
    provenance: Provenance
    source: str = ""


def size_of(part: Part, counter: TokenCounter) -> PartSize:
    """The size of a part by this counter. An image is estimated by its vendor's formula."""
    if isinstance(part, Image):
        return image_size(part, counter)
    if isinstance(part, Other) or (isinstance(part, Reasoning) and not part.text):
        return PartSize(None, counter.provenance)
    if isinstance(part, ToolCall):
        function = {"name": part.name, "arguments": part.arguments}
        return _added(counter, [], {"tool_calls": [{"id": part.id, "type": "function", "function": function}]})
    text = _added(counter, [{"type": "text", "text": part.text}])
    apart = [each for each in part.parts if not isinstance(each, Text)] if isinstance(part, ToolResult) else []
    if not apart or text.tokens is None:
        return text
    return PartSize(text.tokens + sum(size_of(each, counter).tokens or NON_TEXT_PART for each in apart), "estimated")


def image_size(image: Image, counter: TokenCounter) -> PartSize:
    """The estimated size of an image; None where no formula is documented for the model, or the pixels are unknown."""
    rule = counter.images if isinstance(counter, LocalCounter) else None
    tokens = image_tokens(rule, image)
    return PartSize(tokens, "estimated", rule.source if rule is not None and tokens is not None else "")


def _added(counter: TokenCounter, content: list[Any], extra: dict[str, Any] | None = None) -> PartSize:
    """What this adds to an empty message."""
    with_it = counter.count(Message("assistant", content, extra or {}))
    return PartSize(with_it - counter.count(Message("assistant", [])), counter.provenance)
