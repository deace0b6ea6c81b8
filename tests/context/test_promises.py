"""Promises of planning that hold for every conversation, strategy, budget, pin, mute and option."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.context import DEFAULT_STRATEGY, STRATEGIES
from lib.context.reasons import REASON_TEXT
from lib.messages import Message, assistant, system, user
from tests.support.cases.conversations import calling, result
from tests.support.cases.planning_cases import Case, CostlySystemCounter, cases, summaries
from tests.support.slow_strategies import faults

SAFE_STRATEGIES = sorted(set(STRATEGIES) - {"none", "source_trim"})
SYSTEM_IN_MUTED_EXCHANGE = [user("x" * 100), assistant("y" * 40), user("x" * 40), system("z" * 40), user("x" * 4)]


@pytest.mark.parametrize("strategy", STRATEGIES)
@given(case=cases(), data=st.data())
@example(case=Case([], 0, None), data=None)
def test_every_candidate_has_exactly_one_reason_and_the_parts_add_up(
    strategy: str, case: Case, data: st.DataObject | None
) -> None:
    before = copy.deepcopy([message.to_dict() for message in case.history])
    plan = case.plan(strategy, data.draw(summaries(case)) if data is not None else None)
    items = list(plan.items)
    preamble = [None] * (bool(case.instructions.strip()) + (plan.candidates.summary is not None))
    assert [item.index for item in items] == [*preamble, *range(len(case.history) + (case.prompt is not None))]
    assert all(
        REASON_TEXT[item.reason].startswith("Sent" if item.included else ("Dropped", "Not sent")) for item in items
    )
    assert plan.included_count + plan.left_out_count == len(items)
    assert plan.included == [item.message for item in items if item.included]
    sent = sum(map(case.counter.count, plan.included))
    template = case.counter.template(plan.included[0].is_system) if plan.included else 0
    assert plan.input_tokens == sent + template
    assert plan.template_tokens == template
    assert plan.left_out_tokens == sum(item.tokens for item in plan.left_out)
    assert plan.fits == (plan.input_tokens <= case.budget)
    assert [message.to_dict() for message in case.history] == before  # a plan never changes the history


@pytest.mark.parametrize("strategy", SAFE_STRATEGIES)
@given(case=cases(), data=st.data())
def test_no_request_is_planned_that_a_provider_would_refuse(strategy: str, case: Case, data: st.DataObject) -> None:
    case = case.with_prompt()
    plan = case.plan(strategy, data.draw(summaries(case)))
    assert faults(plan.included) == []
    assert plan.included[-1] == user(case.prompt or "")
    instructions = [message for message in case.history if message.is_system]
    assert [m for m in plan.included if m.is_system][plan.candidates.preamble :] == instructions


@pytest.mark.parametrize("strategy", SAFE_STRATEGIES)
@given(case=cases())
def test_a_plan_fits_unless_what_is_always_sent_is_too_much(strategy: str, case: Case) -> None:
    case = case.with_prompt()
    slow = case.slow
    fits = case.plan(strategy).fits
    assert fits or slow.size(slow.count - 1) > case.budget
    if not isinstance(case.counter, CostlySystemCounter):  # with it, more messages can be fewer tokens
        assert not fits or slow.size(slow.count - 1) <= case.budget


@pytest.mark.parametrize("strategy", sorted(set(STRATEGIES) - {"source_trim"}))
@given(case=cases())
def test_a_pinned_exchange_is_always_sent_and_a_muted_one_never(strategy: str, case: Case) -> None:
    slow = case.slow
    for item, exchange in zip(case.plan(strategy).items, slow.exchange_of, strict=True):
        if item.reason == "system" or (strategy != "none" and item.index in slow.unpaired):
            continue
        if exchange in slow.muted_numbers:  # an exchange in both is muted
            assert item.reason == "muted"
        elif exchange in slow.pinned_numbers:
            assert (item.included, item.reason) == (True, "pinned")
        else:
            assert item.reason != "muted"


@pytest.mark.parametrize("strategy", ["none", "oldest_first", "head_and_tail", "sliding_window", "low_water"])
@given(case=cases())
@example(case=Case(SYSTEM_IN_MUTED_EXCHANGE, 30, muted=frozenset({2})))
@example(case=Case([user("x" * 40), assistant("y" * 40)], 41, instructions="z" * 80))  # fits exactly
@example(
    case=Case([user("x" * 40), assistant("y" * 40)], 21, instructions="z" * 80)
)  # does not fit with the instructions
def test_every_strategy_decides_like_the_slow_planner(strategy: str, case: Case) -> None:
    decisions = [(item.index, item.included, item.reason) for item in case.plan(strategy).items]
    assert decisions == getattr(case.slow, strategy)(case.budget, case.options)


@given(case=cases())
def test_none_sends_everything_but_muted_exchanges(case: Case) -> None:
    assert all(item.reason == "muted" for item in case.plan("none").left_out)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_system_message_in_a_muted_exchange_is_still_sent(strategy: str) -> None:
    plan = Case(SYSTEM_IN_MUTED_EXCHANGE, 1000, muted=frozenset({2})).plan(strategy)
    assert SYSTEM_IN_MUTED_EXCHANGE[3] in plan.included
    assert [item.index for item in plan.left_out] == [2]


@pytest.mark.parametrize("strategy", SAFE_STRATEGIES)
def test_a_newest_message_over_budget_is_sent_whole_and_does_not_fit(strategy: str) -> None:
    plan = Case([user("old"), assistant("older")], 10, "x" * 400).plan(strategy)
    assert not plan.fits
    assert [message.text for message in plan.included] == ["x" * 400]


@pytest.mark.parametrize("strategy", SAFE_STRATEGIES)
def test_pins_over_budget_are_sent_and_do_not_fit(strategy: str) -> None:
    history = [user("p" * 400), assistant("r" * 400), user("q"), assistant("a")]
    plan = Case(history, 100, pinned=frozenset({0})).plan(strategy)
    assert not plan.fits
    assert plan.included[:2] == history[:2]
    assert not plan.included[-1].text.strip("new")


@pytest.mark.parametrize("strategy", SAFE_STRATEGIES)
def test_only_the_unpaired_messages_of_an_exchange_are_left_out(strategy: str) -> None:
    paired = [calling("c1", "c2"), result("c2"), result("c1"), assistant("done")]
    unpaired = [
        result("c9"),
        calling("c1", "c2"),
        result("c1"),
        result("c1"),
        system("s"),
        result("c2"),
        assistant("sorry"),
    ]
    plan = Case([user("q"), *paired, user("r"), *unpaired], 10_000).plan(strategy)
    assert [item.index for item in plan.left_out] == [6, 7, 8, 9, 11]
    assert {item.reason for item in plan.left_out} == {"partner_left_out"}


@pytest.mark.parametrize("strategy", SAFE_STRATEGIES)
def test_a_greeting_before_the_first_question_is_not_sent(strategy: str) -> None:
    plan = Case([assistant("Hello"), user("q"), assistant("a")], 1000).plan(strategy)
    assert [(item.index, item.reason) for item in plan.left_out] == [(0, "partner_left_out")]


def test_every_strategy_has_a_label_and_an_explanation() -> None:
    for name, strategy in STRATEGIES.items():
        assert strategy.name == name
        assert strategy.label[0].isupper()
        assert strategy.explanation.endswith(".")
        assert "!" not in strategy.label + strategy.explanation
    assert DEFAULT_STRATEGY == "low_water" == next(iter(STRATEGIES))


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(KeyError):
        Case([]).plan("another")


EXCHANGES = [message for n in range(6) for message in (user(f"{n}" * 40), assistant("a" * 40))]


def reasons(case: Case, strategy: str) -> str:
    """A letter for each exchange: P pinned, R recent, F fits, b over budget, w outside the window, m middle."""
    letters = {"pinned": "P", "recent": "R", "fits": "F", "over_budget": "b", "outside_window": "w", "middle": "m"}
    return "".join(letters[item.reason] for item in list(case.plan(strategy).items)[::2])


def test_which_exchanges_each_strategy_sends() -> None:
    case = Case(EXCHANGES, 81)  # an exchange has 20 tokens, the new message 1
    assert reasons(case, "oldest_first") == "bbRRRRR"
    assert reasons(case, "head_and_tail") == "PmmRRRR"
    assert reasons(case, "sliding_window") == "bbRRRRR"
    short = replace(case, options=replace(case.options, last_exchanges=4, keep_first=2))
    assert reasons(short, "head_and_tail") == "PPmmRRR"
    assert reasons(short, "sliding_window") == "wwwRRRR"
    assert reasons(replace(short, budget=41), "sliding_window") == "wwwbRRR"
    assert reasons(replace(short, budget=21), "head_and_tail") == "PbmmmmR"
    assert reasons(replace(case, pinned=frozenset({2})), "oldest_first") == "bPbRRRR"
    assert reasons(replace(case, budget=1000), "sliding_window") == "FFFFFFF"


def test_messages_without_content_are_planned() -> None:
    history = [Message("user", has_content=False), Message("assistant", None, {"tool_calls": None})]
    assert len(Case(history, 1000).plan(DEFAULT_STRATEGY).included) == 3
