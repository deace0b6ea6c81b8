"""Strategies and rules: only `none` and `source_trim` can build a request that a provider refuses for its shape."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.context import STRATEGIES
from lib.context.plan import ContextPlan
from lib.messages import Message, assistant, user
from lib.request_rules import SINGLE_MESSAGE_RULES, RuleProvider, breaches, refusals, repaired
from tests.support.cases.conversations import calling, calling_in_parts, result, results_in_parts
from tests.support.cases.planning_cases import Case, cases, summaries
from tests.support.cases.request_cases import in_format_of

VENDORS: list[RuleProvider] = ["openai", "anthropic"]
SAFE_STRATEGIES = sorted(set(STRATEGIES) - {"none", "source_trim"})


@pytest.mark.parametrize("provider", VENDORS)
@pytest.mark.parametrize("strategy", SAFE_STRATEGIES)
@given(case=cases(), data=st.data())
def test_these_strategies_break_no_rule_about_order(
    provider: RuleProvider, strategy: str, case: Case, data: st.DataObject
) -> None:
    case = replace(case, history=in_format_of(provider, case.history)).with_prompt()
    sent = case.plan(strategy, data.draw(summaries(case))).included
    found = breaches(provider, sent)
    assert {breach.rule.name for breach in found if breach.rule.refused} <= set(SINGLE_MESSAGE_RULES)
    assert "first_role" not in {breach.rule.name for breach in found}
    assert "last_role" not in {breach.rule.name for breach in found}


@pytest.mark.parametrize("provider", VENDORS)
@pytest.mark.parametrize("strategy", SAFE_STRATEGIES)
@given(case=cases())
def test_a_message_that_breaks_a_rule_by_itself_was_stored_like_that(
    provider: RuleProvider, strategy: str, case: Case
) -> None:
    case = case.with_prompt()
    stored = [*case.history, user(case.prompt or "")]
    sent = case.plan(strategy).included
    for breach in refusals(provider, sent):
        if breach.rule.name in SINGLE_MESSAGE_RULES and len(breach.indexes) == 1:
            message = sent[breach.indexes[0]]
            assert message in stored
            alone = refusals(provider, [message, user("next")])
            assert breach.rule.name in {other.rule.name for other in alone}


def plan(history: list[Message], budget: int) -> ContextPlan:
    return Case(history, budget, "new").plan("source_trim")


@pytest.mark.parametrize(
    ("provider", "call", "answer"),
    [("openai", calling("c1"), result("c1")), ("anthropic", calling_in_parts("c1"), results_in_parts("c1"))],
)
def test_source_trim_can_leave_a_result_without_its_call(
    provider: RuleProvider, call: Message, answer: Message
) -> None:
    history = [user("x" * 40), call, answer, assistant("y" * 40)]
    trimmed = plan(history, 20)
    assert [item.index for item in trimmed.items if item.included] == [0, 2, 3, 4]
    (broken,) = refusals(provider, trimmed.included)
    assert (broken.rule.name, broken.indexes) == ("orphan_result", (1,))
    assert broken.sentence == "Message 2 is a tool result, but no tool call before it asked for it."
    repair = repaired(provider, trimmed.included)
    assert repair.messages == [history[0], history[3], user("new")]
    assert repair.remaining == ()
