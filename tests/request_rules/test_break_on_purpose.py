"""Breaking on purpose: each Break breaks only the rule it is named after, is sent like that, and can be repaired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.messages import Message, assistant, system, user
from lib.providers import ChatRequest
from lib.providers.anthropic import AnthropicProvider
from lib.providers.openai import OpenAIProvider
from lib.request_rules import BREAKS, PROVIDERS, RuleProvider, breaches, repaired
from lib.request_rules.break_on_purpose import CALL_ID, QUESTION
from lib.request_rules.rules import TITLES
from lib.settings import Endpoint
from tests.support.cases.request_cases import valid_requests

ALL_PROVIDERS: list[RuleProvider] = list(PROVIDERS)
PLAIN = [system("Be brief."), user("Why?"), assistant("Because."), user("What for?")]


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.parametrize("provider", ALL_PROVIDERS)
@given(data=st.data())
def test_a_break_breaks_its_rule_and_no_other(provider: RuleProvider, name: str, data: st.DataObject) -> None:
    messages = data.draw(valid_requests(provider))
    assert breaches(provider, messages) == []
    broken = BREAKS[name].apply(provider, messages)
    assert {breach.rule.name for breach in breaches(provider, broken)} == {name}
    assert [message for message in broken if message in messages] == messages


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.parametrize("provider", ALL_PROVIDERS)
@given(data=st.data())
def test_a_repair_fixes_a_refused_break_and_leaves_an_accepted_one(
    provider: RuleProvider, name: str, data: st.DataObject
) -> None:
    messages = data.draw(valid_requests(provider))
    broken = BREAKS[name].apply(provider, messages)
    repair = repaired(provider, broken)
    assert repair.remaining == ()
    if provider not in BREAKS[name].refused_by:
        assert repair.messages == broken
    else:
        assert name not in {breach.rule.name for breach in breaches(provider, repair.messages)}
        assert {change.rule.name for change in repair.changes} >= {name}


def test_which_providers_refuse_which_break() -> None:
    assert {name: way.refused_by for name, way in BREAKS.items()} == {
        "first_role": ("strict",),
        "orphan_result": ("openai", "anthropic", "strict"),
        "unanswered_call": ("openai", "anthropic", "strict"),
        "empty_content": ("openai", "anthropic", "strict"),
        "system_place": ("strict",),
        "alternation": ("strict",),
        "last_role": ("anthropic", "strict"),
        "unknown_part": ("openai", "anthropic", "strict"),
    }


def test_every_break_has_a_label_and_a_sentence() -> None:
    assert set(BREAKS) == set(TITLES) - {"no_message", "size", "reply_room"}
    for way in BREAKS.values():
        assert way.label[0].isupper()
        assert not way.label.endswith(".")
        assert way.sentence.endswith(".")


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.parametrize("provider", ALL_PROVIDERS)
@pytest.mark.parametrize("messages", [[], [system("Be brief.")]])
def test_a_request_without_a_user_message_gets_a_question(
    provider: RuleProvider, name: str, messages: list[Message]
) -> None:
    broken = BREAKS[name].apply(provider, messages)
    assert user(QUESTION) in broken
    assert name in {breach.rule.name for breach in breaches(provider, broken)}


def sent(provider: RuleProvider, name: str) -> Mapping[str, Any]:
    """The body that the real adapter builds from a broken request."""
    request = ChatRequest("model-1", BREAKS[name].apply(provider, PLAIN), 100)
    if provider == "anthropic":
        return AnthropicProvider(Endpoint("a", "anthropic", "A"), None).prepare(request).body
    url = None if provider == "openai" else "http://127.0.0.1:1/v1"
    return OpenAIProvider(Endpoint("o", "openai", "O", url), None).prepare(request).body


def roles(body: Mapping[str, Any]) -> list[str]:
    return [message["role"] for message in body["messages"]]


@pytest.mark.parametrize("provider", ["openai", "strict"])
def test_openais_body_contains_the_break(provider: RuleProvider) -> None:
    assert roles(sent(provider, "first_role"))[:3] == ["system", "assistant", "user"]
    orphan = sent(provider, "orphan_result")
    assert roles(orphan)[:4] == ["system", "user", "tool", "assistant"]
    assert orphan["messages"][2]["tool_call_id"] == CALL_ID
    assert "tool_calls" not in str(orphan)
    unanswered = sent(provider, "unanswered_call")
    assert roles(unanswered)[:4] == ["system", "user", "assistant", "user"]
    assert unanswered["messages"][2]["tool_calls"][0]["id"] == CALL_ID
    assert {"role": "assistant", "content": None} in sent(provider, "empty_content")["messages"]
    assert roles(sent(provider, "system_place")) == ["system", "user", "assistant", "system", "user"]
    assert roles(sent(provider, "alternation"))[-2:] == ["user", "user"]
    assert roles(sent(provider, "last_role"))[-1] == "assistant"
    contents = [message["content"] for message in sent(provider, "unknown_part")["messages"]]
    types = [part["type"] for content in contents if isinstance(content, list) for part in content]
    assert types == ["text", "tool_use", "tool_result"]


def test_anthropics_body_contains_the_break() -> None:
    assert roles(sent("anthropic", "first_role"))[:2] == ["assistant", "user"]
    orphan = sent("anthropic", "orphan_result")["messages"]
    assert orphan[1]["content"][0]["tool_use_id"] == CALL_ID
    assert "tool_use'" not in str(orphan)
    unanswered = sent("anthropic", "unanswered_call")["messages"]
    assert unanswered[1]["content"][-1]["type"] == "tool_use"
    assert unanswered[2] == {"role": "user", "content": "Why?"}
    assert {"role": "assistant", "content": ""} in sent("anthropic", "empty_content")["messages"]
    assert roles(sent("anthropic", "alternation"))[-2:] == ["user", "user"]
    assert roles(sent("anthropic", "last_role"))[-1] == "assistant"


def test_anthropics_adapter_changes_two_breaks() -> None:
    middle = sent("anthropic", "system_place")
    assert middle["system"] == "Be brief.\n\nAnswer in one word."  # moved to the beginning silently
    assert roles(middle) == ["user", "assistant", "user"]
    other_format = sent("anthropic", "unknown_part")
    assert "tool_calls" not in str(other_format)  # the call is not sent; the result is, and its role is refused
    assert roles(other_format)[:4] == ["user", "assistant", "tool", "assistant"]
