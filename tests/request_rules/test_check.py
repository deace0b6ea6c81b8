"""Breaches: which rules a request breaks, provider by provider, in worked examples."""

from __future__ import annotations

import pytest

from lib.context.plan import ContextWindow
from lib.messages import Message, assistant, system, user
from lib.request_rules import BY_ITSELF, PROVIDERS, RULES, breaches, refusals, rule
from lib.request_rules.rules import TITLES
from tests.support.conversations import calling, calling_in_parts, result, results_in_parts

S, U, A = system("Be brief."), user("Why?"), assistant("Because.")
PARTS = [calling_in_parts("c1"), results_in_parts("c1")]
FIELDS = [calling("c1"), result("c1")]
EMPTY_CALLS = Message("assistant", "a", {"tool_calls": []})


def names(provider: str, messages: list[Message]) -> dict[str, tuple[int, ...]]:
    return {breach.rule.name: breach.indexes for breach in breaches(provider, messages)}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("messages", [[U], [S, U], [U, A, U], [S, U, A, U, A, user("What for?")]])
def test_a_plain_conversation_breaks_no_rule(provider: str, messages: list[Message]) -> None:
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
def test_what_breaks_which_rule(messages: list[Message], openai: object, anthropic: object, strict: object) -> None:
    assert [names(provider, messages) for provider in ("openai", "anthropic", "strict")] == [openai, anthropic, strict]


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
def test_calls_and_results_in_openais_words(messages: list[Message], broken: object) -> None:
    assert names("openai", messages) == broken


@pytest.mark.parametrize(
    ("messages", "broken"),
    [
        ([U, results_in_parts("c1"), A, U], {"orphan_result": (1,)}),
        ([U, calling_in_parts("c1"), U], {"unanswered_call": (1,)}),
        ([U, calling_in_parts("c1"), U, results_in_parts("c1")], {"orphan_result": (3,), "unanswered_call": (1,)}),
        (
            [U, calling_in_parts("c1"), S, results_in_parts("c1")],
            {"system_place": (2,)},
        ),  # the instructions are lifted out
        ([U, calling_in_parts("c1", "c2"), results_in_parts("c1"), results_in_parts("c2")], {}),
    ],
)
def test_calls_and_results_in_anthropics_words(messages: list[Message], broken: object) -> None:
    assert names("anthropic", messages) == broken


def test_a_call_that_is_not_sent_needs_no_result() -> None:
    said = Message("assistant", "Let me look.", FIELDS[0].extra)  # the adapter for Anthropic sends role and content
    assert breaches("anthropic", [U, said, U]) == []
    assert names("openai", [U, said, U]) == {"unanswered_call": (1,)}
    assert names("anthropic", [U, said]) == {"last_role": (1,)}


def test_sizes_are_judged_where_they_are_known() -> None:
    window = ContextWindow(100, 20)
    assert breaches("openai", [U], input_tokens=80, window=window) == []
    assert breaches("openai", [U], input_tokens=500) == []
    (room,) = breaches("anthropic", [U], input_tokens=81, window=window)
    assert (room.rule.name, room.rule.refused) == ("reply_room", False)
    assert room.sentence.startswith("The request is 81 tokens, the reply may be 20")
    (size,) = breaches("anthropic", [U], input_tokens=101, window=window)
    assert (size.rule.name, size.rule.refused) == ("size", True)


def test_what_is_refused_is_said_first_and_in_words() -> None:
    found = breaches("openai", [A, U, calling("c1"), U])
    assert [breach.rule.refused for breach in found] == [True, False]
    assert refusals("openai", [A, U, calling("c1"), U]) == found[:1]
    assert found[0].sentence == "Message 3 calls a tool, and not all results follow right behind it."
    assert found[1].sentence == "Message 1 (assistant) comes before any message of the user."


def test_the_same_request_is_judged_by_each_provider_its_own_way() -> None:
    refused = {name: [p for p in PROVIDERS if rule(p, name).refused] for name in TITLES}
    assert refused["first_role"] == refused["alternation"] == refused["system_place"] == ["strict"]
    assert refused["last_role"] == ["anthropic", "strict"]
    assert refused["orphan_result"] == refused["unanswered_call"] == list(PROVIDERS)
    assert set(BY_ITSELF) < set(TITLES)


def test_every_rule_says_who_said_it_and_when() -> None:
    assert len(RULES) == len(PROVIDERS) * len(TITLES)
    for said in RULES.values():
        assert said.title[0].isupper()
        assert said.text.endswith((".", "”"))
        assert said.source
        assert 2023 <= said.as_of.year <= 2026
        assert said.text.count("“") == said.text.count("”")
