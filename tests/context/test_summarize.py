"""Summaries: they stand only for what they were made from, and the plan says when there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.context import Marks, WantedSummary, wanted_summary
from lib.context.candidates import SUMMARY_HEADING, Summary
from lib.context.plan import ContextPlan, Fallback
from tests.support.cases.planning_cases import CASE, GIST, Case, cases, summaries

SIZE = ("over_budget", "batch")


def needed_summary(case: Case, summary: Summary | None = None) -> WantedSummary | None:
    return wanted_summary(case.candidates(), case.window, Marks.of(case.muted, case.pinned, summary), case.options)


def left_out(plan: ContextPlan) -> str:
    letters = {"summarized": "s", "over_budget": "b", "batch": "t", "muted": "u", "partner_left_out": "p"}
    return "".join(letters[item.reason] for item in plan.left_out)


def test_a_summary_is_sent_after_the_system_prompt_instead_of_its_sources() -> None:
    needed = needed_summary(CASE)
    assert needed is not None
    assert needed.previous is None
    assert needed.sources == needed.added == ((0, 14),)
    plan = CASE.plan("summarize", replace(GIST, sources=needed.sources))
    assert [message.role for message in plan.included] == ["system", "system", *["user", "assistant"] * 3, "user"]
    assert plan.included[1].text == f"{SUMMARY_HEADING}\n\nThey said numbers."
    assert (left_out(plan), plan.fallback, plan.fits) == ("s" * 14, None, True)
    assert needed_summary(CASE, replace(GIST, sources=needed.sources)) is None


def test_without_a_summary_the_plan_says_so() -> None:
    plan = CASE.plan("summarize")
    assert left_out(plan) == "b" * 10 + "t" * 4
    text = "There is no summary yet, so the oldest messages are dropped without one."
    assert plan.fallback == Fallback("no_summary", text)
    assert plan.candidates.summary is None


def test_a_summary_stands_only_for_what_it_covers() -> None:
    plan = CASE.plan("summarize", GIST)
    assert left_out(plan) == "s" * 12 + "t" * 2
    text = "The summary does not cover 1 older exchange, dropped without one."
    assert plan.fallback == Fallback("summary_incomplete", text)
    needed = needed_summary(CASE, GIST)
    assert needed == WantedSummary(((0, 14),), ((12, 14),), GIST, 18)


def test_an_exchange_that_is_only_partly_summarized_is_not_covered() -> None:
    assert left_out(CASE.plan("summarize", replace(GIST, sources=((1, 11),)))) == "bb" + "s" * 8 + "t" * 4


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
def test_an_unusable_summary_is_not_sent(case: Case, summary: Summary, why: str) -> None:
    plan = case.plan("summarize", summary)
    assert plan.candidates.summary is None
    assert plan.fallback is not None
    assert plan.fallback.kind in ("summary_unusable", "summary_too_large")
    assert why in plan.fallback.text
    assert "summarized" not in {item.reason for item in plan.items}
    assert plan.runs == case.plan("summarize").runs


def test_no_summary_is_needed_while_everything_fits() -> None:
    plan = replace(CASE, budget=1000).plan("summarize", GIST)
    assert (plan.left_out_count, plan.candidates.summary, plan.fallback) == (0, None, None)
    assert needed_summary(replace(CASE, budget=1000)) is None


def test_muted_and_pinned_exchanges_are_not_summarized() -> None:
    case = replace(CASE, muted=frozenset({4}), pinned=frozenset({8}))
    needed = needed_summary(case)
    assert needed is not None
    assert needed.sources == ((0, 4), (6, 8), (10, 16))
    plan = case.plan("summarize", replace(GIST, sources=needed.sources))
    assert (left_out(plan), plan.fallback) == ("s" * 4 + "uu" + "s" * 8, None)


@given(case=cases(), data=st.data())
def test_it_cuts_where_the_slow_planner_does(case: Case, data: st.DataObject) -> None:
    summary = data.draw(summaries(case))
    slow = case.slow
    plan = case.plan("summarize", summary)
    decided = [(item.index, item.included, item.reason) for item in list(plan.items)[plan.candidates.preamble :]]
    has_system_prompt = bool(case.instructions.strip())
    expected = slow.cut_at(slow.summary_cut(case.budget, case.options), case.budget)[has_system_prompt:]
    assert [(index, included) for index, included, _ in decided] == [(index, sent) for index, sent, _ in expected]
    covered = {n for start, stop in summary.sources for n in range(start, stop)} if summary else set()
    forced = replace(slow, summary=plan.candidates.summary).first_cut(0, slow.count - 1, case.budget)
    for (index, _, reason), (_, _, reason_without) in zip(decided, expected, strict=True):
        exchange = slow.exchange_of[slow.indexes.index(index)]
        members = {i for i, e in zip(slow.indexes, slow.exchange_of, strict=True) if e == exchange}
        is_summarized = plan.candidates.summary is not None and reason_without in SIZE and members <= covered
        if reason_without in SIZE and exchange is not None:  # a summary takes room, so more may no longer fit
            reason_without = "over_budget" if exchange < forced else "batch"
        assert reason == ("summarized" if is_summarized else reason_without)


@given(case=cases(), data=st.data())
def test_the_needed_summary_is_enough_once_it_is_made(case: Case, data: st.DataObject) -> None:
    needed = needed_summary(case, data.draw(summaries(case)))
    if needed is None:
        return
    plan = case.plan("summarize", Summary("gist", needed.sources))
    without = case.plan("summarize")
    too_large = plan.candidates.summary is None
    assert too_large == (plan.fallback is not None)
    assert plan.fallback is None or plan.fallback.kind == "summary_too_large"
    assert too_large or not {*SIZE} & {item.reason for item in plan.items}
    assert {item.index for item in without.left_out} == {item.index for item in plan.left_out}
    assert needed_summary(case, Summary("gist", needed.sources)) is None
    assert all(any(a <= start and stop <= b for a, b in needed.sources) for start, stop in needed.added)
