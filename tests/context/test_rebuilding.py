"""Every request can be rebuilt from the stored history and the turn's record, whatever the strategy."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.chat.rebuild import matches_what_was_sent, rebuild_request
from lib.context import STRATEGIES
from lib.messages import assistant, user
from lib.providers import ChatRequest
from lib.providers.anthropic import AnthropicProvider
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from lib.stored_turns import read_turn
from lib.turns import PlanSummary, Turn
from tests.support.cases.planning_cases import CASE, GIST, Case, cases, summaries


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
