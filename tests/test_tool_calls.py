"""Tool calls and results: what lacks its partner is known, at every length of the history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.messages import Message, assistant, system, user
from lib.tokens import CharacterEstimate
from lib.tokens.ledger import TokenLedger
from lib.tool_calls import call_ids, opens_exchange, result_ids
from tests.support.conversations import calling, calling_in_parts, histories, result, results_in_parts
from tests.support.slow_strategies import unpaired


def places(history: list[Message], size: int | None = None) -> list[int]:
    totals = TokenLedger(CharacterEstimate()).sync(history)
    stretches = totals.pairing.stretches(len(history) if size is None else size)
    return [at for start, stop in stretches for at in range(start, stop)]


@pytest.mark.parametrize(
    ("history", "bad"),
    [
        ([user("q"), calling("c1"), result("c1"), assistant("a")], []),
        ([user("q"), calling("c1", "c2"), result("c2"), result("c1")], []),  # in any order
        ([user("q"), calling("c1", "c2"), result("c2"), user("r")], [1, 2]),
        ([user("q"), calling("c1")], [1]),
        ([user("q"), result("c1"), assistant("a")], [1]),
        ([user("q"), calling("c1"), result("c1"), result("c1")], [3]),
        ([user("q"), calling("c1"), result("c9"), result("c1")], [2]),
        ([user("q"), calling("c1"), system("s"), result("c1")], [1, 3]),
        ([user("q"), calling("c1"), calling("c2"), result("c2")], [1]),
        ([user("q"), calling("c1", "c1"), result("c1")], [1, 2]),
        ([user("q"), calling(None), result(None)], [1, 2]),
        ([user("q"), Message("tool", "nobody's"), calling("c1"), result("c1")], [1]),
        ([user("q"), calling_in_parts("c1", "c2"), results_in_parts("c1", "c2")], []),
        ([user("q"), calling_in_parts("c1", "c2"), results_in_parts("c1"), results_in_parts("c2")], []),
        ([user("q"), calling_in_parts("c1", "c2"), results_in_parts("c1"), user("r")], [1, 2]),
    ],
)
def test_a_call_goes_with_all_its_results_or_not_at_all(history: list[Message], bad: list[int]) -> None:
    assert places(history) == bad == sorted(unpaired(history))


@given(histories(), st.data())
def test_a_reader_of_a_shorter_history_is_told_about_that_one(history: list[Message], data: st.DataObject) -> None:
    totals = TokenLedger(CharacterEstimate()).sync(history)
    size = data.draw(st.integers(0, len(history)))
    bad = sorted(unpaired(history[:size]))
    assert places(history, size) == bad
    assert totals.pairing.tokens(size, totals.sums) == sum(totals.sums[at + 1] - totals.sums[at] for at in bad)


def test_a_tools_result_in_the_users_name_opens_no_exchange() -> None:
    assert opens_exchange(user("q"))
    assert not opens_exchange(results_in_parts("c1"))
    assert not opens_exchange(assistant("a"))


def test_what_is_no_call_at_all_is_passed_over() -> None:
    odd = [user("q"), Message("assistant", "a", {"tool_calls": "odd"}), Message("assistant", [None, 3]), user("r")]
    assert places(odd) == []


def test_ids_are_read_in_both_ways_of_writing_them() -> None:
    assert call_ids(calling("a", "b")) == call_ids(calling_in_parts("a", "b")) == ["a", "b"]
    assert result_ids(result("a")) == result_ids(results_in_parts("a")) == ["a"]
    assert call_ids(user("q")) == result_ids(user("q")) == []
