"""A stored index is found in its range."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.runs import range_at


@given(st.lists(st.integers(0, 30), unique=True, max_size=9).map(sorted), st.data())
def test_the_range_that_holds_an_index_is_the_one_a_linear_search_finds(edges: list[int], data: st.DataObject) -> None:
    ranges = [edge for edge in pairwise(edges) if data.draw(st.booleans())]
    for index in range(-1, 32):
        found = next((each for each in ranges if each[0] <= index < each[1]), None)
        assert range_at(ranges, index) == found
