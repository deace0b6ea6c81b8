"""The statistics of runs, against published and hand-made values, and what the ranking makes of them."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.prompt_sets import Prompt
from lib.prompt_sets.comparing import Asked, compare
from lib.prompt_sets.figures import holm, mcnemar, mean_interval, wilson
from lib.prompt_sets.ranking import rank
from lib.prompt_sets.runs import Answer


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [  # R. G. Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilsons_interval_is_the_published_one(passed: int, total: int, low: float, high: float) -> None:
    assert wilson(passed, total) == pytest.approx((low, high), abs=5e-5)


def test_mcnemars_p_is_that_of_counting_all_outcomes() -> None:
    for one, two in product(range(6), range(6)):
        coins = list(product((0, 1), repeat=one + two))
        extreme = [coin for coin in coins if abs(2 * sum(coin) - len(coin)) >= abs(one - two)]
        assert mcnemar(one, two) == pytest.approx(len(extreme) / len(coins))


@given(st.lists(st.floats(0, 1), max_size=6))
def test_holm_holds_what_bonferroni_holds_and_nothing_above_the_level(values: list[float]) -> None:
    held = holm(values)
    for value, yes in zip(values, held, strict=True):
        assert yes or value > 0.05 / len(values)
        assert not yes or value <= 0.05


def test_the_interval_of_a_mean_is_around_it_and_always_the_same() -> None:
    times = [1.0, 1.1, 0.9, 1.0, 8.0]
    found = mean_interval(times)
    assert found is not None
    assert found == mean_interval(times)
    assert found.low < 2.4 < found.high
    assert found.high - 2.4 > 2.4 - found.low  # skewed, as the times are
    assert mean_interval([1.0]) is None


def answers(model: int, passed: str, **changes: object) -> list[Answer]:
    """One answer for each letter: y passed, n failed, ? not checked, e an error."""
    verdicts = {"y": True, "n": False}
    return [
        Answer(place, model, passed=verdicts.get(each), error={"what": "x"} if each == "e" else None, **changes)  # type: ignore[arg-type]  # fields of Answer
        for place, each in enumerate(passed)
    ]


def test_the_ranking_tells_apart_what_the_prompts_tell_apart() -> None:
    best, close, worse = "y" * 18 + "nn", "y" * 16 + "nnnn", "y" * 4 + "n" * 16
    found = rank([*answers(0, worse), *answers(1, best), *answers(2, close)], 3)
    assert [(each.model, each.passed, each.judged) for each in found.standings] == [
        (1, 18, 20),
        (2, 16, 20),
        (0, 4, 20),
    ]
    assert found.apart == (False, True)
    assert (found.duels[1].first_only, found.duels[1].second_only) == (14, 0)


def test_what_has_no_verdict_counts_for_nobody() -> None:
    found = rank([*answers(0, "y?e", cost=Decimal(1)), *answers(1, "ynn")], 2)
    first, second = found.standings
    assert (first.passed, first.judged, first.answered, first.errors) == (1, 1, 2, 1)
    assert (first.cost, second.cost) == (Decimal(2), None)
    assert found.duels[0].both == 1
    assert found.apart == (False,)


def test_runs_are_compared_by_the_text_of_their_prompts() -> None:
    one = [Prompt("1", "a"), Prompt("2", "b"), Prompt("3", "c"), Prompt("4", "b")]
    two = [Prompt("1", "c"), Prompt("2", "b"), Prompt("3", "b"), Prompt("4", "d"), Prompt("5", "a", "system")]
    before = dict(enumerate(answers(0, "ynyy")))
    after = dict(enumerate(answers(0, "nyyyy")))
    found = compare(Asked(one, before), Asked(two, after))
    assert [(pair.prompt.text, pair.change) for pair in found.pairs] == [("b", "better"), ("c", "worse"), ("b", "same")]
    assert (found.only_before, found.only_after, found.p) == (1, 2, 1.0)
