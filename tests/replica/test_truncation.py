"""Dropping messages until the rest fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.replica.truncation import longest_that_fits, without_middle, without_oldest
from tests.support.event_loops import run

Entry = tuple[int, int]
"""A message as (position, size)."""


def size_of(entries: Sequence[Entry]) -> int:
    return sum(size for _, size in entries)


@pytest.mark.parametrize("without", [without_oldest, without_middle])
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(0, 300))
def test_as_few_as_possible_are_dropped_and_never_the_newest(
    without: Callable[[Sequence[Entry], int], list[Entry]], sizes: list[int], budget: int
) -> None:
    entries, counts = list(enumerate(sizes)), 0

    async def fits(kept: list[Entry]) -> bool:
        nonlocal counts
        counts += 1
        return size_of(kept) <= budget

    kept = run(longest_that_fits(entries, without, fits))
    assert counts <= 9
    if kept is None:
        assert sizes[-1] > budget
        return
    assert kept[-1] == entries[-1]
    assert size_of(kept) <= budget
    dropped = len(entries) - len(kept)
    assert dropped == 0 or size_of(without(entries, dropped - 1)) > budget


def test_the_middle_is_dropped_first_and_the_ends_stay() -> None:
    assert without_middle([1, 2, 3, 4, 5], 1) == [1, 2, 4, 5]
    assert without_middle([1, 2, 3, 4, 5], 3) == [1, 5]
    assert without_middle([1, 2], 1) == [2]


def test_the_oldest_are_dropped_from_the_beginning() -> None:
    assert without_oldest([1, 2, 3], 2) == [3]
