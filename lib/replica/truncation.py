"""Leaving out messages until the rest fits, the two ways OpenAI's servers do it.

What for: Responses drops whole items from the beginning, Assistants dropped messages from the middle. The rule: as few as
possible go, and the newest never does. It leaves out who counts: `fits` is asked about each candidate, and because fewer
messages never have more tokens, only a few candidates are asked about.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def without_oldest(entries: Sequence[T], dropped: int) -> list[T]:
    """All but the first ones."""
    return list(entries[dropped:])


def without_middle(entries: Sequence[T], dropped: int) -> list[T]:
    """All but some in the middle, the earlier one where there are two middles. The first and the newest stay longest."""
    left = len(entries) - dropped
    head = left // 2
    return [*entries[:head], *entries[head + dropped :]]


async def fitted(
    entries: Sequence[T], without: Callable[[Sequence[T], int], list[T]], fits: Callable[[list[T]], Awaitable[bool]]
) -> list[T] | None:
    """The most entries that fit, or None when not even the newest alone does."""
    fewest, most = 0, max(0, len(entries) - 1)
    if await fits(list(entries)):
        return list(entries)
    if not await fits(without(entries, most)):
        return None
    while most - fewest > 1:
        tried = (fewest + most) // 2
        if await fits(without(entries, tried)):
            most = tried
        else:
            fewest = tried
    return without(entries, most)
