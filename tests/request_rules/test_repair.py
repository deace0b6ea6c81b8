"""Repairs: what is refused becomes what is accepted, by as little as possible."""

from __future__ import annotations

import copy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.messages import Message, assistant, system, user
from lib.request_rules import PROVIDERS, RuleProvider, refusals, repaired
from lib.request_rules.fixes import MENDS
from lib.request_rules.provider_view import is_blank, texts_of
from lib.tool_calls import opens_exchange
from tests.support.conversations import calling, calling_in_parts, result, results_in_parts
from tests.support.request_cases import requests, sound

S, U, A = system("Be brief."), user("Why?"), assistant("Because.")
ANY: list[RuleProvider] = list(PROVIDERS)
TEXT = {"type": "text", "text": "Let me look."}


def newest(messages: list[Message]) -> Message | None:
    return next((message for message in reversed(messages) if opens_exchange(message)), None)


@pytest.mark.parametrize("provider", ANY)
@given(messages=requests)
@example(messages=[system(""), user(""), user(""), system("")])  # one breach inside another
def test_nothing_is_refused_any_more_but_what_no_repair_can_mend(
    provider: RuleProvider, messages: list[Message]
) -> None:
    before = copy.deepcopy([message.to_dict() for message in messages])
    repair = repaired(provider, messages)
    assert list(repair.left) == refusals(provider, repair.messages)
    for breach in repair.left:
        if breach.rule.name in MENDS:  # then it is the newest message of the user, in which nothing can be sent
            (at,) = breach.indexes
            assert repair.messages[at] is newest(messages)
        else:
            assert breach.rule.name == "no_message"
    assert [message.to_dict() for message in messages] == before


@pytest.mark.parametrize("provider", ANY)
@given(messages=requests)
def test_repairing_again_changes_nothing(provider: RuleProvider, messages: list[Message]) -> None:
    once = repaired(provider, messages)
    again = repaired(provider, once.messages)
    assert (again.messages, again.changes) == (once.messages, ())


@pytest.mark.parametrize("provider", ANY)
@given(messages=requests)
def test_a_request_is_touched_where_it_is_refused_and_nowhere_else(
    provider: RuleProvider, messages: list[Message]
) -> None:
    repair = repaired(provider, messages)
    assert bool(repair.changes) == (repair.messages != messages)
    assert {change.rule.name for change in repair.changes} <= set(MENDS)
    assert all(change.rule.refused and change.rule.provider == provider for change in repair.changes)
    if not refusals(provider, messages):
        assert (repair.messages, repair.changes, repair.left) == (messages, (), ())
    if not {"system_place", "alternation"} & {change.rule.name for change in repair.changes}:
        touched = {at for change in repair.changes for at in change.indexes}
        left = iter(repair.messages)  # what no change names is still there, in order
        assert all(any(m == message for m in left) for at, message in enumerate(messages) if at not in touched)


@pytest.mark.parametrize("provider", ANY)
@given(data=st.data())
def test_a_sound_request_is_left_alone(provider: RuleProvider, data: st.DataObject) -> None:
    messages = data.draw(sound(provider))
    assert repaired(provider, messages).messages == messages


@pytest.mark.parametrize("provider", ANY)
@given(messages=requests)
def test_the_newest_words_of_the_user_are_never_left_out(provider: RuleProvider, messages: list[Message]) -> None:
    asked = newest(messages)
    if asked is None:
        return
    told = newest(repaired(provider, messages).messages)
    assert told is not None
    heard = texts_of(told.content)
    assert all(any(text in (other or "") for other in heard) for text in texts_of(asked.content) if not is_blank(text))


@pytest.mark.parametrize(
    ("provider", "messages", "healed", "changes"),
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
            [U, calling("c1"), result("c1", None), A, U],
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
def test_what_is_done(provider: RuleProvider, messages: list[Message], healed: object, changes: object) -> None:
    repair = repaired(provider, messages)
    assert repair.messages == healed
    assert [(change.rule.name, change.kind, change.indexes) for change in repair.changes] == changes
    assert repair.left == ()


def test_what_is_accepted_stays_though_it_is_unwise() -> None:
    unwise = [A, U, U, S, U]
    assert repaired("openai", unwise).messages == repaired("anthropic", unwise).messages == unwise
    assert repaired("strict", unwise).messages == [S, user("Why?\n\nWhy?\n\nWhy?")]


def test_what_cannot_be_repaired_is_said() -> None:
    (left,) = repaired("anthropic", [U, A, user(" ")]).left
    assert (left.rule.name, left.indexes) == ("empty_content", (2,))
    assert [breach.rule.name for breach in repaired("anthropic", [A]).left] == ["no_message"]


def test_changes_are_said_in_words() -> None:
    said = [change.sentence for change in repaired("strict", [A, U, U, system("Shout.")]).changes]
    assert said == [
        "All instructions stand at the beginning, as one message (Message 4).",
        "Message 1 is left out.",
        "Messages 2 and 3 become one message.",
    ]
