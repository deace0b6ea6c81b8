"""The size and price of reasoning, whether it was sent back, and how often messages were sent again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lib.analysis.parts.reasoning import sent_back, text_tokens, thought_of
from lib.analysis.parts.sent_again import times_sent_again
from lib.messages import Message, Usage, assistant
from lib.pricing.model import Model, Rates
from lib.recorded_requests import RecordedRequest
from lib.tokens import ESTIMATE
from lib.tokens.model_counters import counter_for
from lib.turns import PlanSummary, Turn

PRICES = Rates(*(((0, Decimal(dollars)),) for dollars in (1, 1, 1, 10)))
MODEL = Model("m", "openai", "M", None, None, PRICES, "")
TURN = Turn("a", "Why?", "So.", "complete", "openai", "m", "", 0.0)
COUNTER = counter_for("openai", "gpt-5")


def test_hidden_reasoning_is_a_number_at_the_output_price() -> None:
    turn = replace(TURN, usage=Usage(100, 0, 0, 1_500, 1_234))
    thought = thought_of(turn, assistant("So."), MODEL, COUNTER)
    assert thought is not None
    assert (thought.text, thought.tokens, thought.provenance) == ("", 1_234, "billed")
    assert thought.usd == Decimal(1_234) * 10 / 1_000_000


def test_reasoning_that_nobody_counted_is_counted_by_its_text() -> None:
    text = "It is so because it is so."
    turn = replace(TURN, reasoning=text, usage=Usage(100, 0, 0, 50))
    thought = thought_of(turn, assistant("So."), None, COUNTER)
    assert thought is not None
    assert (thought.text, thought.tokens, thought.provenance, thought.usd) == (text, 8, "counted", None)
    assert text_tokens("a" * 40, ESTIMATE) == 10


def test_a_model_on_this_machine_costs_nothing_and_unreported_usage_does_not_hide_the_price() -> None:
    turn = replace(TURN, reasoning="It is so because it is so.")
    local = thought_of(turn, assistant("So."), replace(MODEL, vendor="local", rates=None), COUNTER)
    priced = thought_of(turn, assistant("So."), MODEL, COUNTER)
    assert local is not None
    assert priced is not None
    assert (local.usd, priced.usd) == (Decimal(0), Decimal(8) * 10 / 1_000_000)


def test_what_is_not_reported_is_not_mentioned() -> None:
    for usage in (Usage(), Usage(100, 0, 0, 50, 0)):
        assert thought_of(replace(TURN, usage=usage), assistant("So."), MODEL, COUNTER) is None
    sealed = Message("assistant", [{"type": "redacted_thinking", "data": "x" * 900}, {"type": "text", "text": "So."}])
    assert thought_of(TURN, sealed, MODEL, COUNTER) is None


THINKING = {"type": "thinking", "thinking": "Hm.", "signature": "s"}


@pytest.mark.parametrize(
    ("element", "how"),
    [
        ({"role": "assistant", "content": "So."}, "no"),
        ({"role": "assistant", "content": "So.", "reasoning_content": "Hm."}, "text"),
        ({"role": "assistant", "content": [THINKING]}, "both"),
        ({"role": "assistant", "content": [{**THINKING, "thinking": ""}]}, "sealed"),
        ({"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}]}, "sealed"),
        ({"type": "reasoning", "id": "rs-1", "summary": [], "encrypted_content": "x"}, "sealed"),
        ({"type": "reasoning", "id": "rs-1", "summary": []}, "by id"),
        ({"type": "function_call", "name": "f", "arguments": "{}"}, "no"),
        ("odd", "no"),
    ],
)
def test_reasoning_is_found_in_what_was_sent(element: Any, how: str) -> None:
    assert sent_back([element]) == how


def turn_of(stored: int, *runs: tuple[int, int, bool, Any], first_new: int | None = None) -> Turn:
    plan = PlanSummary(tuple(runs), stored, 0, 0, 0, None, 0, 0, "none", "c", "counted", True)
    app = None if first_new is None else RecordedRequest("/v1/messages", "", 200, (), first_new, 1)
    return replace(TURN, plan=plan, recorded=app)


def test_a_message_is_sent_again_by_each_later_request_that_holds_it() -> None:
    turns = [turn_of(at, (0, at + 1, True, "fits")) for at in (0, 2, 4)]
    assert times_sent_again(turns, 6) == [2, 2, 1, 1, 0, 0]
    dropping = turn_of(6, (0, 4, False, "over_budget"), (4, 7, True, "recent"))
    assert times_sent_again([*turns, dropping, TURN], 8) == [2, 2, 1, 1, 1, 1, 0, 0]


def test_results_that_an_app_sends_together_are_new_together() -> None:
    first = turn_of(0, (0, 1, True, "app_sent"), first_new=0)
    second = turn_of(3, (0, 4, True, "app_sent"), first_new=2)  # a call, and two results for it
    assert times_sent_again([first, second], 5) == [1, 1, 0, 0, 0]
