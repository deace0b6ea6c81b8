"""Tool calls and results: those without their partner are found, at every length of the history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.messages import Message, assistant, system, user
from lib.tokens import CharacterEstimate
from lib.tokens.ledger import TokenLedger
from lib.tool_calls import call_ids, opens_exchange, result_ids
from tests.support.cases.conversations import calling, calling_in_parts, histories, result, results_in_parts
from tests.support.slow_strategies import unpaired


def unpaired_positions(history: list[Message], size: int | None = None) -> list[int]:
    totals = TokenLedger(CharacterEstimate()).sync(history)
    ranges = totals.pairing.unpaired(len(history) if size is None else size)
    return [position for start, stop in ranges for position in range(start, stop)]


@pytest.mark.parametrize(
    ("history", "expected"),
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
def test_a_call_is_paired_only_if_all_its_results_follow(history: list[Message], expected: list[int]) -> None:
    assert unpaired_positions(history) == expected == sorted(unpaired(history))


@given(histories(), st.data())
def test_a_shorter_length_of_the_history_has_its_own_answer(history: list[Message], data: st.DataObject) -> None:
    totals = TokenLedger(CharacterEstimate()).sync(history)
    size = data.draw(st.integers(0, len(history)))
    expected = sorted(unpaired(history[:size]))
    assert unpaired_positions(history, size) == expected
    tokens = sum(totals.sums[position + 1] - totals.sums[position] for position in expected)
    assert totals.pairing.unpaired_tokens(size, totals.sums) == tokens


def test_a_tool_result_with_the_users_role_opens_no_exchange() -> None:
    assert opens_exchange(user("q"))
    assert not opens_exchange(results_in_parts("c1"))
    assert not opens_exchange(assistant("a"))


def test_values_that_are_not_calls_are_ignored() -> None:
    odd = [user("q"), Message("assistant", "a", {"tool_calls": "odd"}), Message("assistant", [None, 3]), user("r")]
    assert unpaired_positions(odd) == []


def test_ids_are_read_in_both_formats() -> None:
    assert call_ids(calling("a", "b")) == call_ids(calling_in_parts("a", "b")) == ["a", "b"]
    assert result_ids(result("a")) == result_ids(results_in_parts("a")) == ["a"]
    assert call_ids(user("q")) == result_ids(user("q")) == []
