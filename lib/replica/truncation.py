"""Drops messages until the rest fits, in the two ways OpenAI's servers do it.

Responses drops whole items from the beginning, Assistants drops messages from the middle. As few as possible are
dropped, and never the newest. Fewer messages never have more tokens, so a binary search needs few counts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def without_oldest(entries: Sequence[T], dropped: int) -> list[T]:
    """All entries but the first `dropped`."""
    return list(entries[dropped:])


def without_middle(entries: Sequence[T], dropped: int) -> list[T]:
    """All entries but `dropped` in the middle; the first and the newest stay longest. Of two middles the earlier one
    goes first."""
    kept = len(entries) - dropped
    head = kept // 2
    return [*entries[:head], *entries[head + dropped :]]


async def longest_that_fits(
    entries: Sequence[T], without: Callable[[Sequence[T], int], list[T]], fits: Callable[[list[T]], Awaitable[bool]]
) -> list[T] | None:
    """As many entries as fit; None if not even the newest alone does."""
    too_few, enough = 0, max(0, len(entries) - 1)
    if await fits(list(entries)):
        return list(entries)
    if not await fits(without(entries, enough)):
        return None
    while enough - too_few > 1:
        dropped = (too_few + enough) // 2
        if await fits(without(entries, dropped)):
            enough = dropped
        else:
            too_few = dropped
    return without(entries, enough)
