"""Chats that were asked the same are ranked by what is known of them; what is not known never wins."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.ranking import (
    COST,
    FIRST_WORD,
    MEASURES,
    READ,
    SPEED,
    Result,
    cost_of,
    is_level,
    rank,
    result_of,
    results_of,
)
from lib.messages import Usage
from lib.pricing.catalogue import find
from lib.turns import PlanSummary, Summarized, Turn

PLAN = PlanSummary(((0, 3, True, "fits"),), 2, 3, 4, 77, None, 100, 10, "none", "words", "counted", True)


def turn(read: int | None = 100, wrote: int | None = 11, **changes: Any) -> Turn:
    """An answer that took 200 ms to its first word and 1,200 ms in all."""
    one = Turn("t", "p", "r", "complete", "openai", "gpt-5-mini", "", 0.0, PLAN, usage=Usage(read, 50, 0, wrote))
    return replace(one, **{"first_token_ms": 200.0, "duration_ms": 1200.0, **changes})


def priced(provider: str, model: str) -> Any:
    return find(provider, model)


def test_what_one_chat_did() -> None:
    result = result_of("A", [turn(), turn(300, 31, first_token_ms=400.0)], priced)
    assert (result.answers, result.read, result.wrote, result.cached, result.not_sent) == (2, 400, 42, 100, 4)
    assert (result.first_word_ms, result.total_ms) == (300.0, 2400.0)
    assert result.tokens_per_second == pytest.approx((10 + 30) / (1.0 + 0.8))
    assert result.provenances == ("billed",)


def test_only_answers_that_every_chat_has_are_compared() -> None:
    short, long = [turn(10)], [turn(1), turn(1000)]
    assert [(each.answers, each.read) for each in results_of([("A", short), ("B", long)], priced)] == [(1, 10), (1, 1)]
    assert [each.name for each in results_of([("A", []), ("B", long)], priced)] == ["B"]


def test_an_answer_without_a_report_is_measured_by_what_was_counted_before_it_was_sent() -> None:
    result = result_of("A", [turn(), turn(None, None)], priced)
    assert (result.read, result.provenances) == (177, ("billed", "counted"))
    assert (result.wrote, result.cost) == (None, None)
    assert result.tokens_per_second == pytest.approx(10.0)


def test_the_cost_holds_summaries_and_a_model_on_this_machine_is_free() -> None:
    summarized = turn(summarized=Summarized("openai", "gpt-5-mini", Usage(1000, 0, 0, 100), 1.0))
    plain, whole = cost_of([turn()], priced), cost_of([summarized], priced)
    assert plain is not None
    assert whole == plain + Decimal("0.00025") + Decimal("0.0002")
    local = turn(None, None, provider="local", model="any")
    assert cost_of([local], lambda provider, model: find("local", "SmolLM2-135M-Instruct")) == 0
    assert cost_of([turn()], lambda provider, model: None) is None


def test_the_fastest_speed_and_the_fewest_tokens_win() -> None:
    a, b = Result("A", 1, read=10, tokens_per_second=5.0), Result("B", 1, read=20, tokens_per_second=9.0)
    assert [each.name for each in rank([b, a], MEASURES[READ]).results] == ["A", "B"]
    assert [each.name for each in rank([a, b], MEASURES[SPEED]).results] == ["B", "A"]
    assert rank([a, b], MEASURES[READ]).winners == 1


def test_times_that_are_close_share_the_first_place_and_tokens_must_be_equal() -> None:
    a, b = Result("A", 1, read=100, first_word_ms=100.0), Result("B", 1, read=101, first_word_ms=104.0)
    assert rank([a, b], MEASURES[FIRST_WORD]).winners == 2
    assert rank([a, b], MEASURES[READ]).winners == 1
    assert rank([a, replace(b, read=100)], MEASURES[READ]).winners == 2


RESULTS = st.lists(
    st.builds(
        Result,
        st.sampled_from("ABCD"),
        st.just(1),
        read=st.none() | st.integers(0, 9),
        first_word_ms=st.none() | st.floats(0, 1000),
        tokens_per_second=st.none() | st.floats(0.1, 1000),
        cost=st.none() | st.decimals(0, 1, places=3),
    ),
    max_size=4,
)


@given(RESULTS, st.sampled_from([READ, FIRST_WORD, SPEED, COST]))
def test_a_ranking_loses_nobody_and_the_unknown_come_last(results: list[Result], name: str) -> None:
    measure = MEASURES[name]
    ranking = rank(results, measure)
    assert sorted(map(repr, ranking.results)) == sorted(map(repr, results))
    known = [each for each in ranking.results if measure.value(each) is not None]
    assert list(ranking.results[: len(known)]) == known
    assert ranking.winners == sum(is_level(measure, known[0], each) for each in known)
    values = [float(measure.value(each) or 0) for each in known]
    assert values == sorted(values, reverse=measure.most_wins)
