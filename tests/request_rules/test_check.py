"""Which rules a request breaks, for each provider, in worked examples."""

from __future__ import annotations

import pytest

from lib.context.plan import ContextWindow
from lib.messages import Message, assistant, system, user
from lib.request_rules import PROVIDERS, RULES, SINGLE_MESSAGE_RULES, RuleProvider, breaches, refusals, rule
from lib.request_rules.rules import TITLES
from tests.support.cases.conversations import calling, calling_in_parts, result, results_in_parts

S, U, A = system("Be brief."), user("Why?"), assistant("Because.")
PARTS = [calling_in_parts("c1"), results_in_parts("c1")]
FIELDS = [calling("c1"), result("c1")]
EMPTY_CALLS = Message("assistant", "a", {"tool_calls": []})


def broken_rules(provider: RuleProvider, messages: list[Message]) -> dict[str, tuple[int, ...]]:
    return {breach.rule.name: breach.indexes for breach in breaches(provider, messages)}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("messages", [[U], [S, U], [U, A, U], [S, U, A, U, A, user("What for?")]])
def test_a_plain_conversation_breaks_no_rule(provider: RuleProvider, messages: list[Message]) -> None:
    assert breaches(provider, messages) == []


@pytest.mark.parametrize(
    ("messages", "openai", "anthropic", "strict"),
    [
        ([], {"no_message": ()}, {"no_message": ()}, {"no_message": ()}),
        ([S], {}, {"no_message": ()}, {"no_message": ()}),
        ([S, A, U], {"first_role": (1,)}, {"first_role": (1,)}, {"first_role": (1,)}),
        ([U, U], {"alternation": (0, 1)}, {"alternation": (0, 1)}, {"alternation": (0, 1)}),
        ([U, S, U], *[{"system_place": (1,), "alternation": (0, 2)}] * 3),
        ([S, S, U], {}, {}, {"system_place": (1,)}),
        ([U, A], {"last_role": (1,)}, {"last_role": (1,)}, {"last_role": (1,)}),
        ([U, A, S], *[{"last_role": (1,), "system_place": (2,)}] * 3),
        ([U, *FIELDS, A, U], {}, {"unknown_part": (2,), "empty_content": (1,)}, {}),
        ([U, *PARTS, A, U], {"unknown_part": (2,)}, {}, {"unknown_part": (2,)}),
        (
            [U, user(" "), A, U],
            {"alternation": (0, 1)},
            {"alternation": (0, 1), "empty_content": (1,)},
            {"alternation": (0, 1)},
        ),
        ([U, Message("assistant"), U], {"empty_content": (1,)}, {"empty_content": (1,)}, {"empty_content": (1,)}),
        ([U, Message("assistant", []), U], *[{"empty_content": (1,)}] * 3),
        ([U, EMPTY_CALLS, U], {"empty_content": (1,)}, {}, {"empty_content": (1,)}),
        ([U, Message("assistant", None, {"refusal": "No."}), U], {}, {"empty_content": (1,)}, {}),
        ([U, Message("assistant", 3), U], *[{"unknown_part": (1,)}] * 3),
        ([U, Message("function", "f"), A, U], *[{"unknown_part": (1,)}] * 3),
        ([system(""), system(""), U], {}, {"empty_content": (0, 1)}, {"system_place": (1,)}),
        ([system(""), U], {}, {}, {}),
        (
            [U, Message("assistant", [{"type": "text", "text": ""}, {"type": "text", "text": "a"}]), U],
            {},
            {"empty_content": (1,)},
            {},
        ),
        ([U, assistant("")], {"last_role": (1,)}, {"last_role": (1,)}, {"last_role": (1,)}),
    ],
)
def test_which_rules_a_request_breaks(
    messages: list[Message], openai: object, anthropic: object, strict: object
) -> None:
    assert broken_rules("openai", messages) == openai
    assert broken_rules("anthropic", messages) == anthropic
    assert broken_rules("strict", messages) == strict


@pytest.mark.parametrize(
    ("messages", "broken"),
    [
        ([U, result("c1"), A, U], {"orphan_result": (1,)}),
        ([U, Message("tool", "nobody's"), A, U], {"orphan_result": (1,)}),
        ([U, calling("c1"), U], {"unanswered_call": (1,)}),
        ([U, calling("c1", "c2"), result("c2"), U], {"unanswered_call": (1, 2)}),
        ([U, calling("c1"), result("c9"), U], {"orphan_result": (2,), "unanswered_call": (1,)}),
        ([U, calling("c1"), result("c1"), result("c1"), A, U], {"orphan_result": (3,)}),
        ([U, calling("c1"), S, result("c1")], {"orphan_result": (3,), "unanswered_call": (1,), "system_place": (2,)}),
        ([U, calling("c1", "c2"), result("c2"), result("c1")], {}),
        ([U, calling("c1")], {"unanswered_call": (1,)}),
    ],
)
def test_calls_and_results_in_openais_format(messages: list[Message], broken: object) -> None:
    assert broken_rules("openai", messages) == broken


@pytest.mark.parametrize(
    ("messages", "broken"),
    [
        ([U, results_in_parts("c1"), A, U], {"orphan_result": (1,)}),
        ([U, calling_in_parts("c1"), U], {"unanswered_call": (1,)}),
        ([U, calling_in_parts("c1"), U, results_in_parts("c1")], {"orphan_result": (3,), "unanswered_call": (1,)}),
        # system messages are moved out, so the result follows its call
        ([U, calling_in_parts("c1"), S, results_in_parts("c1")], {"system_place": (2,)}),
        ([U, calling_in_parts("c1", "c2"), results_in_parts("c1"), results_in_parts("c2")], {}),
    ],
)
def test_calls_and_results_in_anthropics_format(messages: list[Message], broken: object) -> None:
    assert broken_rules("anthropic", messages) == broken


def test_a_call_that_is_not_sent_needs_no_result() -> None:
    call = Message("assistant", "Let me look.", FIELDS[0].extra)  # Anthropic only gets role and content
    assert breaches("anthropic", [U, call, U]) == []
    assert broken_rules("openai", [U, call, U]) == {"unanswered_call": (1,)}
    assert broken_rules("anthropic", [U, call]) == {"last_role": (1,)}


def test_sizes_are_checked_if_tokens_and_window_are_given() -> None:
    window = ContextWindow(100, 20)
    assert breaches("openai", [U], input_tokens=80, window=window) == []
    assert breaches("openai", [U], input_tokens=500) == []
    (room,) = breaches("anthropic", [U], input_tokens=81, window=window)
    assert (room.rule.name, room.rule.refused) == ("reply_room", False)
    assert room.sentence.startswith("The request has 81 tokens and the reply may have 20.")
    (size,) = breaches("anthropic", [U], input_tokens=101, window=window)
    assert (size.rule.name, size.rule.refused) == ("size", True)


def test_refused_breaches_come_first_with_a_sentence() -> None:
    found = breaches("openai", [A, U, calling("c1"), U])
    assert [breach.rule.refused for breach in found] == [True, False]
    assert refusals("openai", [A, U, calling("c1"), U]) == found[:1]
    assert found[0].sentence == "Message 3 calls a tool, but not all results follow directly."
    assert found[1].sentence == "Message 1 (assistant) comes before the first user message."


def test_each_provider_refuses_different_breaches() -> None:
    refused = {name: [p for p in PROVIDERS if rule(p, name).refused] for name in TITLES}
    assert refused["first_role"] == refused["alternation"] == refused["system_place"] == ["strict"]
    assert refused["last_role"] == ["anthropic", "strict"]
    assert refused["orphan_result"] == refused["unanswered_call"] == list(PROVIDERS)
    assert set(SINGLE_MESSAGE_RULES) < set(TITLES)


def test_every_rule_has_a_source_and_a_date() -> None:
    assert len(RULES) == len(PROVIDERS) * len(TITLES)
    for known in RULES.values():
        assert known.title[0].isupper()
        assert known.text.endswith((".", "”"))
        assert known.source
        assert 2023 <= known.as_of.year <= 2026
        assert known.text.count("“") == known.text.count("”")
