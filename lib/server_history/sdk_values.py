"""Reading what servers answer, whatever shape they give it.

The one rule: what is missing, null or zero where it cannot be zero is None, never a guess. Values may be the SDKs' objects or
plain JSON, since servers that are merely compatible answer in shapes the SDKs' types do not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lib.messages import Message, Usage, assistant, system, user

MILLISECONDS = 100_000_000_000
"""A timestamp above this is in milliseconds: as seconds it would be the year 5138."""


def field(value: Any, *names: str) -> Any:
    """A value inside of values, by name; None where any step is missing.

    Example: field({"a": {"b": 1}}, "a", "b") -> 1; field(None, "a") -> None
    """
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return value


def text_of(content: Any) -> str:
    """The text of a message's content: a string, a part, or a list of either, however deep.

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
    """A timestamp in seconds since 1970; some servers give milliseconds."""
    if not isinstance(created_at, int | float) or isinstance(created_at, bool):
        return None
    return created_at / 1000 if created_at > MILLISECONDS else float(created_at)


def count_of(value: Any) -> int | None:
    """A number of tokens, None where there is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def responses_usage(usage: Any) -> Usage:
    """Usage as Responses reports it; its input includes cached tokens. No turn reads 0 tokens: that is not a report."""
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
    """Usage of an Assistants run: null until it ends, and without a word on caching in most answers."""
    if not count_of(field(usage, "prompt_tokens")):
        return Usage()
    return Usage(
        input_tokens=count_of(field(usage, "prompt_tokens")),
        cached_tokens=count_of(field(usage, "prompt_token_details", "cached_tokens")),
        output_tokens=count_of(field(usage, "completion_tokens")),
    )


def paged(pages: Iterable[Any]) -> Iterator[Any]:
    """The items of all pages; ends at an item seen before, since a server that ignores `after` repeats itself for ever."""
    seen: set[str] = set()
    for item in pages:
        id_ = field(item, "id")
        if isinstance(id_, str):
            if id_ in seen:
                return
            seen.add(id_)
        yield item


def message_of(item: Any) -> Message | None:
    """An item of a conversation as a message; None for what is none (reasoning, compaction, tool calls)."""
    role = field(item, "role")
    if not isinstance(role, str) or field(item, "type") not in (None, "message"):
        return None
    return Message(role, text_of(field(item, "content")))


def prompt_of(system_prompt: str) -> list[Message]:
    """The system prompt as the first message, where there is one."""
    return [system(system_prompt)] if system_prompt else []


def exchange(text: str, reply: str) -> tuple[Message, Message]:
    """What one turn adds to a transcript."""
    return user(text), assistant(reply)
