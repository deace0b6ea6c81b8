"""Every request can be rebuilt from the stored history and the turn's record, whatever the strategy."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.chat.rebuild import MESSAGES, matches_what_was_sent, rebuild_request
from lib.context import STRATEGIES
from lib.generation import Generation
from lib.messages import assistant, user
from lib.providers import ChatRequest, Provider
from lib.providers.anthropic import AnthropicProvider
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from lib.stored_turns import read_turn
from lib.turns import PlanSummary, Turn
from tests.support.cases.planning_cases import CASE, GIST, Case, cases, summaries

PROVIDERS: list[Provider] = [
    OpenAIProvider(Endpoint("openai", "openai", "OpenAI"), None),
    AnthropicProvider(Endpoint("ogx", "anthropic", "ogx", "http://127.0.0.1:8321"), None),
    LocalProvider(LocalModel()),
]


@pytest.mark.parametrize("strategy", STRATEGIES)
@given(case=cases(), data=st.data())
def test_a_request_is_rebuilt_from_its_record(strategy: str, case: Case, data: st.DataObject) -> None:
    case = case.with_prompt()
    plan = case.plan(strategy, data.draw(summaries(case)))
    provider = OpenAIProvider(Endpoint("openai", "openai", "OpenAI"), None)
    sent = ChatRequest("m", tuple(plan.included), 50)
    prepared = provider.prepare(sent)
    rest = {name: value for name, value in prepared.body.items() if name != "messages"}
    turn = Turn(
        id="i",
        prompt=case.prompt or "",
        reply="reply",
        status="complete",
        provider="openai",
        model="m",
        system_prompt=case.instructions,
        started_at=0.0,
        plan=PlanSummary.of(plan),
        request=rest,
        request_sha256=prepared.sha256,
    )
    turn = read_turn(json.loads(json.dumps(turn.to_dict())), 1)
    later = [*case.history, user(case.prompt or ""), assistant("reply"), user("more")]
    assert rebuild_request(turn, later) == sent
    assert matches_what_was_sent(turn, later, provider)


def test_for_anthropic_the_summary_is_part_of_the_system_text() -> None:
    plan = CASE.plan("summarize", GIST)
    anthropic = AnthropicProvider(Endpoint("anthropic", "anthropic", "Anthropic"), None)
    body = anthropic.prepare(ChatRequest("m", tuple(plan.included), 50)).body
    assert body["system"] == "Be brief.\n\nSummary of the earlier conversation:\n\nThey said numbers."
    assert body["messages"][0]["role"] == "user"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_with_generation_settings_is_rebuilt_byte_for_byte(provider: Provider) -> None:
    case = CASE.with_prompt()
    plan = case.plan("oldest_first", None)
    chosen = Generation(temperature=0.5, seed=7, reasoning_effort="low", stop=("END",))
    prepared = provider.prepare(ChatRequest("m", tuple(plan.included), 50, chosen))
    rest = {name: value for name, value in prepared.body.items() if name not in MESSAGES}
    turn = Turn(
        "i",
        case.prompt or "",
        "reply",
        "complete",
        provider.name,
        "m",
        case.instructions,
        0.0,
        PlanSummary.of(plan),
        rest,
        prepared.sha256,
    )
    turn = read_turn(json.loads(json.dumps(turn.to_dict())), 1)
    assert matches_what_was_sent(turn, [*case.history, user(case.prompt or ""), assistant("reply")], provider)
