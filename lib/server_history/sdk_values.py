"""Reads values out of server responses, which come as SDK objects or as plain JSON.

Servers that are only compatible return shapes the SDK's types do not have. A value that is missing, null, or zero where
zero is impossible is read as None.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lib.messages import Message, Usage, assistant, system, user

SMALLEST_MILLISECONDS = 100_000_000_000
"""A larger timestamp is in milliseconds: as seconds it would be in the year 5138."""


def field(value: Any, *names: str) -> Any:
    """A nested value, by attribute or key names; None if any step is missing.

    Example: field({"a": {"b": 1}}, "a", "b") -> 1; field(None, "a") -> None
    """
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return value


def text_of(content: Any) -> str:
    """The text of a message's content: a string, a part, or a list of either, at any depth.

    Example: text_of([{"type": "text", "text": [{"value": "Hi"}]}]) -> "Hi"
    """
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list | tuple):
        return "".join(text_of(part) for part in content)
    for name in ("text", "value", "refusal", "content"):
        if (inner := field(content, name)) is not None:
            return text_of(inner)
    return ""


def seconds_of(created_at: Any) -> float | None:
    """A timestamp as seconds since 1970; some servers give milliseconds."""
    if not isinstance(created_at, int | float) or isinstance(created_at, bool):
        return None
    return created_at / 1000 if created_at > SMALLEST_MILLISECONDS else float(created_at)


def count_of(value: Any) -> int | None:
    """A number of tokens; None if it is not one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def responses_usage(usage: Any) -> Usage:
    """Usage as Responses reports it: input tokens include cached ones. Zero input tokens are no report, since every
    turn reads something."""
    if not count_of(field(usage, "input_tokens")):
        return Usage()
    return Usage(
        input_tokens=count_of(field(usage, "input_tokens")),
        cached_tokens=count_of(field(usage, "input_tokens_details", "cached_tokens")),
        cache_write_tokens=count_of(field(usage, "input_tokens_details", "cache_write_tokens")),
        output_tokens=count_of(field(usage, "output_tokens")),
        reasoning_tokens=count_of(field(usage, "output_tokens_details", "reasoning_tokens")),
    )


def run_usage(usage: Any) -> Usage:
    """Usage of an Assistants run: null until the run ends, and mostly without cached tokens."""
    if not count_of(field(usage, "prompt_tokens")):
        return Usage()
    return Usage(
        input_tokens=count_of(field(usage, "prompt_tokens")),
        cached_tokens=count_of(field(usage, "prompt_token_details", "cached_tokens")),
        output_tokens=count_of(field(usage, "completion_tokens")),
    )


def without_repeats(items: Iterable[Any]) -> Iterator[Any]:
    """The items of all pages, up to the first one seen before: a server that ignores `after` would repeat itself for
    ever."""
    seen: set[str] = set()
    for item in items:
        id_ = field(item, "id")
        if isinstance(id_, str):
            if id_ in seen:
                return
            seen.add(id_)
        yield item


def messages_in(items: Iterable[Any]) -> list[Message]:
    """The messages among the items of a conversation; reasoning, compaction and tool calls are skipped."""
    return [
        Message(role, text_of(field(item, "content")))
        for item in items
        if isinstance(role := field(item, "role"), str) and field(item, "type") in (None, "message")
    ]


def system_messages(system_prompt: str) -> list[Message]:
    """The system prompt as a list of one message, or none if it is empty."""
    return [system(system_prompt)] if system_prompt else []


def exchange(text: str, reply: str) -> tuple[Message, Message]:
    """The two messages that one turn adds."""
    return user(text), assistant(reply)
