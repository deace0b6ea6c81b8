"""Repairs: a refused request becomes an accepted one with as few changes as possible."""

from __future__ import annotations

import copy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.messages import Message, assistant, system, user
from lib.request_rules import PROVIDERS, RuleProvider, refusals, repaired
from lib.request_rules.fixes import FIXES
from lib.request_rules.provider_view import is_blank, texts_of
from lib.tool_calls import opens_exchange
from tests.support.cases.conversations import calling, calling_in_parts, result, results_in_parts
from tests.support.cases.request_cases import requests, valid_requests

S, U, A = system("Be brief."), user("Why?"), assistant("Because.")
ALL_PROVIDERS: list[RuleProvider] = list(PROVIDERS)
TEXT = {"type": "text", "text": "Let me look."}


def newest_question(messages: list[Message]) -> Message | None:
    return next((message for message in reversed(messages) if opens_exchange(message)), None)


@pytest.mark.parametrize("provider", ALL_PROVIDERS)
@given(messages=requests)
@example(messages=[system(""), user(""), user(""), system("")])  # one breach lies inside another
@example(messages=[Message("user", [{"type": "text", "text": " "}, {}])])  # an unknown part beside a blank one
def test_only_breaches_that_no_repair_can_fix_remain(provider: RuleProvider, messages: list[Message]) -> None:
    before = copy.deepcopy([message.to_dict() for message in messages])
    repair = repaired(provider, messages)
    assert list(repair.remaining) == refusals(provider, repair.messages)
    for breach in repair.remaining:
        if breach.rule.name in FIXES:  # then it is the newest user message, and it holds nothing that can be sent
            (index,) = breach.indexes
            assert repair.messages[index] is newest_question(repair.messages)
        else:
            assert breach.rule.name == "no_message"
    assert [message.to_dict() for message in messages] == before


@pytest.mark.parametrize("provider", ALL_PROVIDERS)
@given(messages=requests)
@example(
    messages=[  # the last message becomes the newest one of the user once its tool result is dropped
        Message("user", 3, {"tool_calls": [{"id": "c0"}]}, False),
        Message("user", 3, {"refusal": "No"}),
        Message("assistant", 3, {"refusal": "No"}, False),
        Message("user", [{"type": "text", "text": "t"}, {"type": "tool_result", "tool_use_id": "c0"}], {}, False),
    ]
)
def test_a_second_repair_changes_nothing(provider: RuleProvider, messages: list[Message]) -> None:
    once = repaired(provider, messages)
    again = repaired(provider, once.messages)
    assert (again.messages, again.changes) == (once.messages, ())


@pytest.mark.parametrize("provider", ALL_PROVIDERS)
@given(messages=requests)
def test_a_repair_changes_only_what_is_refused(provider: RuleProvider, messages: list[Message]) -> None:
    repair = repaired(provider, messages)
    assert bool(repair.changes) == (repair.messages != messages)
    assert {change.rule.name for change in repair.changes} <= set(FIXES)
    assert all(change.rule.refused and change.rule.provider == provider for change in repair.changes)
    if not refusals(provider, messages):
        assert (repair.messages, repair.changes, repair.remaining) == (messages, (), ())
    if not {"system_place", "alternation"} & {change.rule.name for change in repair.changes}:
        changed = {index for change in repair.changes for index in change.indexes}
        unchanged = [message for index, message in enumerate(messages) if index not in changed]
        rest = iter(repair.messages)
        assert all(message in rest for message in unchanged)  # in the same order


@pytest.mark.parametrize("provider", ALL_PROVIDERS)
@given(data=st.data())
def test_a_valid_request_is_left_alone(provider: RuleProvider, data: st.DataObject) -> None:
    messages = data.draw(valid_requests(provider))
    assert repaired(provider, messages).messages == messages


@pytest.mark.parametrize("provider", ALL_PROVIDERS)
@given(messages=requests)
def test_the_newest_user_message_is_never_left_out(provider: RuleProvider, messages: list[Message]) -> None:
    question = newest_question(messages)
    if question is None:
        return
    repaired_question = newest_question(repaired(provider, messages).messages)
    assert repaired_question is not None
    remaining = texts_of(repaired_question.content)
    texts = [text for text in texts_of(question.content) if not is_blank(text)]
    assert all(any(text in (other or "") for other in remaining) for text in texts)


@pytest.mark.parametrize(
    ("provider", "messages", "expected", "changes"),
    [
        ("openai", [U, result("c1"), A, U], [U, A, U], [("orphan_result", "removed", (1,))]),
        ("openai", [U, calling("c1"), U], [U, U], [("unanswered_call", "removed", (1,))]),
        (
            "openai",
            [U, calling("c1", "c2"), result("c1"), A, U],
            [U, A, U],
            [("unanswered_call", "removed", (1,)), ("unanswered_call", "removed", (2,))],
        ),
        (
            "openai",
            [U, Message("assistant", "Let me look.", calling("c1").extra), U],
            [U, assistant("Let me look."), U],
            [("unanswered_call", "changed", (1,))],
        ),
        ("openai", [U, Message("assistant"), U], [U, U], [("empty_content", "removed", (1,))]),
        ("openai", [Message("user")], [user("")], [("empty_content", "changed", (0,))]),
        (
            "openai",
            [U, calling("c1"), Message("tool", None, {"tool_call_id": "c1"}), A, U],
            [U, calling("c1"), result("c1", ""), A, U],
            [("empty_content", "changed", (2,))],
        ),
        (
            "openai",
            [U, Message("assistant", "a", {"tool_calls": []}), U],
            [U, A := assistant("a"), U],
            [("empty_content", "changed", (1,))],
        ),
        (
            "openai",
            [U, Message("assistant", [TEXT, *calling_in_parts("c1").content]), results_in_parts("c1"), U],
            [U, Message("assistant", [TEXT]), U],
            [("unknown_part", "changed", (1,)), ("unknown_part", "removed", (2,))],
        ),
        (
            "anthropic",
            [U, calling("c1"), result("c1"), A, U],
            [U, A, U],
            [("unknown_part", "removed", (2,)), ("empty_content", "removed", (1,))],
        ),
        ("anthropic", [U, A], [U], [("last_role", "removed", (1,))]),
        (
            "anthropic",
            [U, Message("assistant", [{"type": "text", "text": ""}, TEXT]), U],
            [U, Message("assistant", [TEXT]), U],
            [("empty_content", "changed", (1,))],
        ),
        ("anthropic", [system(" "), U], [U], [("empty_content", "removed", (0,))]),
        ("strict", [S, A, U], [S, U], [("first_role", "removed", (1,))]),
        ("strict", [U, U], [user("Why?\n\nWhy?")], [("alternation", "merged", (0, 1))]),
        (
            "strict",
            [S, U, A, system("Shout."), U],
            [system("Be brief.\n\nShout."), U, A, U],
            [("system_place", "moved", (0, 3))],
        ),
        (
            "strict",
            [U, Message("user", [TEXT])],
            [Message("user", [{"type": "text", "text": "Why?"}, TEXT])],
            [("alternation", "merged", (0, 1))],
        ),
    ],
)
def test_repairs_and_their_changes(
    provider: RuleProvider, messages: list[Message], expected: object, changes: object
) -> None:
    repair = repaired(provider, messages)
    assert repair.messages == expected
    assert [(change.rule.name, change.kind, change.indexes) for change in repair.changes] == changes
    assert repair.remaining == ()


def test_accepted_breaches_are_not_repaired() -> None:
    odd = [A, U, U, S, U]
    assert repaired("openai", odd).messages == repaired("anthropic", odd).messages == odd
    assert repaired("strict", odd).messages == [S, user("Why?\n\nWhy?\n\nWhy?")]


def test_a_repair_names_what_it_cannot_fix() -> None:
    (breach,) = repaired("anthropic", [U, A, user(" ")]).remaining
    assert (breach.rule.name, breach.indexes) == ("empty_content", (2,))
    assert [breach.rule.name for breach in repaired("anthropic", [A]).remaining] == ["no_message"]


def test_every_change_has_a_sentence() -> None:
    assert [change.sentence for change in repaired("strict", [A, U, U, system("Shout.")]).changes] == [
        "All instructions are moved to the beginning, as one message (Message 4).",
        "Message 1 is left out.",
        "Messages 2 and 3 become one message.",
    ]
