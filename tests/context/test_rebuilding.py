"""What was sent can be proved under every strategy: rebuilt from the stored history and the turn's record alone."""

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
from lib.turns import PlanSummary, Turn
from tests.support.planning_cases import CASE, GIST, Case, cases, summaries


@pytest.mark.parametrize("strategy", STRATEGIES)
@given(case=cases(), data=st.data())
def test_a_request_is_rebuilt_from_its_record(strategy: str, case: Case, data: st.DataObject) -> None:
    case = case.asked()
    made = case.plan(strategy, data.draw(summaries(case)))
    provider = OpenAIProvider(Endpoint("openai", "openai", "OpenAI"), None)
    sent = ChatRequest("m", tuple(made.included), 50)
    prepared = provider.prepare(sent)
    rest = {name: value for name, value in prepared.body.items() if name != "messages"}
    turn = Turn(
        "i",
        case.prompt or "",
        "reply",
        "complete",
        "openai",
        "m",
        case.instructions,
        0.0,
        PlanSummary.of(made),
        rest,
        prepared.sha256,
    )
    turn = Turn.from_dict(json.loads(json.dumps(turn.to_dict())), 1)
    later = [*case.history, user(case.prompt or ""), assistant("reply"), user("more")]
    assert rebuild_request(turn, later) == sent
    assert matches_what_was_sent(turn, later, provider)


def test_where_instructions_go_to_the_top_the_summary_goes_with_them() -> None:
    made = CASE.plan("summarize", GIST)
    anthropic = AnthropicProvider(Endpoint("anthropic", "anthropic", "Anthropic"), None)
    body = anthropic.prepare(ChatRequest("m", tuple(made.included), 50)).body
    assert body["system"] == "Be brief.\n\nSummary of the earlier conversation:\n\nThey said numbers."
    assert body["messages"][0]["role"] == "user"
