"""Strategies and rules: no strategy but the two that say so builds a request that its provider refuses for its shape."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.context import STRATEGIES
from lib.context.plan import ContextPlan
from lib.messages import Message, assistant, user
from lib.request_rules import BY_ITSELF, RuleProvider, breaches, refusals, repaired
from tests.support.conversations import calling, calling_in_parts, result, results_in_parts
from tests.support.planning_cases import Case, cases, summaries
from tests.support.request_cases import in_words_of

VENDORS: list[RuleProvider] = ["openai", "anthropic"]
LEGAL = sorted(set(STRATEGIES) - {"none", "source_trim"})


@pytest.mark.parametrize("provider", VENDORS)
@pytest.mark.parametrize("strategy", LEGAL)
@given(case=cases(), data=st.data())
def test_no_strategy_breaks_a_rule_about_order(
    provider: RuleProvider, strategy: str, case: Case, data: st.DataObject
) -> None:
    history = in_words_of(provider, case.history)
    case = replace(case, history=history).asked()
    sent = case.plan(strategy, data.draw(summaries(case))).included
    found = breaches(provider, sent)
    assert {breach.rule.name for breach in found if breach.rule.refused} <= set(BY_ITSELF)
    assert "first_role" not in {breach.rule.name for breach in found}
    assert "last_role" not in {breach.rule.name for breach in found}


@pytest.mark.parametrize("provider", VENDORS)
@pytest.mark.parametrize("strategy", LEGAL)
@given(case=cases())
def test_what_a_message_breaks_by_itself_was_stored_like_that(
    provider: RuleProvider, strategy: str, case: Case
) -> None:
    case = case.asked()
    stored = [*case.history, user(case.prompt or "")]
    sent = case.plan(strategy).included
    for breach in refusals(provider, sent):
        if breach.rule.name in BY_ITSELF and len(breach.indexes) == 1:
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
def test_the_textbooks_trim_history_leaves_a_result_without_its_call(
    provider: RuleProvider, call: Message, answer: Message
) -> None:
    history = [user("x" * 40), call, answer, assistant("y" * 40)]
    made = plan(history, 20)
    assert [item.index for item in made.items if item.included] == [0, 2, 3, 4]
    (broken,) = refusals(provider, made.included)
    assert (broken.rule.name, broken.indexes) == ("orphan_result", (1,))
    assert broken.sentence == "Message 2 is a tool's result, and nothing before it asked for that."
    repair = repaired(provider, made.included)
    assert repair.messages == [history[0], history[3], user("new")]
    assert repair.left == ()
