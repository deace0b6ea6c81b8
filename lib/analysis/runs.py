"""Finds the run or range that holds a stored index."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, TypeVar

Range = TypeVar("Range", bound=tuple[Any, ...])


def range_at(ranges: Sequence[Range], index: int) -> Range | None:
    """The range that holds this index, or None. O(log ranges).

    Each range starts with (start, stop), stop excluded, and they are sorted.

    Example: range_at([(0, 4), (6, 9)], 3) -> (0, 4); range_at([(0, 4), (6, 9)], 5) -> None
    """
    place = bisect_right(ranges, index, key=itemgetter(0)) - 1
    return ranges[place] if place >= 0 and index < ranges[place][1] else None
