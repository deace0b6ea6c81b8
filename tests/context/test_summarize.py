"""Summaries in place of what is left out: only for what they were made from, and the plan says when there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.context import Marks, WantedSummary, wanted_summary
from lib.context.plan import SUMMARY_HEADING, ContextPlan, Fallback, Summary
from tests.support.planning_cases import CASE, GIST, Case, cases, summaries


def wanted(case: Case, summary: Summary | None = None) -> WantedSummary | None:
    return wanted_summary(case.candidates(), case.window, Marks.of(case.muted, case.pinned, summary), case.options)


def left_out(plan: ContextPlan) -> str:
    letters = {"summarized": "s", "over_budget": "b", "muted": "u", "partner_left_out": "p"}
    return "".join(letters[item.reason] for item in plan.left_out)


def test_a_summary_goes_behind_the_system_prompt_in_place_of_what_it_stands_for() -> None:
    asked = wanted(CASE)
    assert asked is not None
    assert asked.previous is None
    assert asked.sources == asked.added == ((0, 14),)
    made = CASE.plan("summarize", replace(GIST, sources=asked.sources))
    assert [message.role for message in made.included] == ["system", "system", *["user", "assistant"] * 3, "user"]
    assert made.included[1].text == f"{SUMMARY_HEADING}\n\nThey said numbers."
    assert (left_out(made), made.fallback, made.fits) == ("s" * 14, None, True)
    assert wanted(CASE, replace(GIST, sources=asked.sources)) is None


def test_without_a_summary_the_oldest_are_left_out_and_the_plan_says_so() -> None:
    made = CASE.plan("summarize")
    assert left_out(made) == "b" * 14
    text = "There is no summary yet, so the oldest messages are dropped without one."
    assert made.fallback == Fallback("no_summary", text)
    assert made.candidates.summary is None


def test_a_summary_that_covers_less_stands_for_what_it_covers() -> None:
    made = CASE.plan("summarize", GIST)
    assert left_out(made) == "s" * 12 + "b" * 2
    text = "The summary does not cover 1 older exchange, dropped without one."
    assert made.fallback == Fallback("summary_incomplete", text)
    asked = wanted(CASE, GIST)
    assert asked == WantedSummary(((0, 14),), ((12, 14),), GIST, 18)


def test_half_an_exchange_is_not_covered() -> None:
    assert left_out(CASE.plan("summarize", replace(GIST, sources=((1, 11),)))) == "bb" + "s" * 8 + "b" * 4


@pytest.mark.parametrize(
    ("case", "summary", "why"),
    [
        (CASE, replace(GIST, sources=((0, 21),)), "made from a longer conversation"),
        (CASE, replace(GIST, text=" "), "is empty"),
        (CASE, replace(GIST, sources=()), "is empty"),
        (replace(CASE, muted=frozenset({4})), GIST, "holds a message that was muted"),
        (CASE, replace(GIST, text="x" * 400), "does not fit"),
    ],
)
def test_a_summary_that_must_not_or_cannot_be_sent_is_not(case: Case, summary: Summary, why: str) -> None:
    made = case.plan("summarize", summary)
    assert made.candidates.summary is None
    assert made.fallback is not None
    assert (made.fallback.kind in ("summary_unusable", "summary_too_large"), why in made.fallback.text) == (True, True)
    assert "summarized" not in {item.reason for item in made.items}
    assert made.runs == case.plan("summarize").runs


def test_while_everything_fits_there_is_no_summary() -> None:
    made = replace(CASE, budget=1000).plan("summarize", GIST)
    assert (made.left_out_count, made.candidates.summary, made.fallback) == (0, None, None)
    assert wanted(replace(CASE, budget=1000)) is None


def test_muted_exchanges_are_no_part_of_a_summary_and_pinned_ones_need_none() -> None:
    case = replace(CASE, muted=frozenset({4}), pinned=frozenset({8}))
    asked = wanted(case)
    assert asked is not None
    assert asked.sources == ((0, 4), (6, 8), (10, 16))
    made = case.plan("summarize", replace(GIST, sources=asked.sources))
    assert (left_out(made), made.fallback) == ("s" * 4 + "uu" + "s" * 8, None)


@given(case=cases(), data=st.data())
def test_it_cuts_where_the_slow_and_obvious_way_does(case: Case, data: st.DataObject) -> None:
    summary = data.draw(summaries(case))
    slow = case.slow
    at = slow.summary_cut(case.budget, case.options)
    made = case.plan("summarize", summary)
    preamble = made.candidates.preamble
    stored = [(item.index, item.included, item.reason) for item in list(made.items)[preamble:]]
    plain = slow.cut_at(at, case.budget)[bool(case.instructions.strip()) :]
    assert [(index, included) for index, included, _ in stored] == [(index, included) for index, included, _ in plain]
    covered = {n for start, stop in summary.sources for n in range(start, stop)} if summary else set()
    for (index, _, reason), (_, _, its) in zip(stored, plain, strict=True):
        exchange = slow.exchange_of[slow.indexes.index(index)]
        members = {i for i, e in zip(slow.indexes, slow.exchange_of, strict=True) if e == exchange}
        stands_for = made.candidates.summary is not None and its == "over_budget" and members <= covered
        assert reason == ("summarized" if stands_for else its)


@given(case=cases(), data=st.data())
def test_the_summary_that_is_wanted_is_the_one_that_is_needed(case: Case, data: st.DataObject) -> None:
    asked = wanted(case, data.draw(summaries(case)))
    if asked is None:
        return
    made = case.plan("summarize", Summary("gist", asked.sources))
    without = case.plan("summarize")
    too_large = made.candidates.summary is None
    assert too_large == (made.fallback is not None)
    assert made.fallback is None or made.fallback.kind == "summary_too_large"
    assert too_large or "over_budget" not in {item.reason for item in made.items}
    assert {item.index for item in without.left_out} == {item.index for item in made.left_out}
    new = Summary("gist", asked.sources)
    assert wanted(case, new) is None  # once it is made, nothing more is
    assert all(any(a <= start and stop <= b for a, b in asked.sources) for start, stop in asked.added)
