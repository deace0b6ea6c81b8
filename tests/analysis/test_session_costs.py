"""Whole sessions are priced from their sums: what is not known is counted, and never taken as nothing."""

from __future__ import annotations

from decimal import Decimal

from lib.analysis.session_costs import SessionCost, cost_of, unreported_turns, who_counted
from lib.history.sessions import SessionRow
from lib.history.sessions.sums import ModelUsage
from lib.messages import Usage
from lib.pricing.model import FREE, Model, Rates

LARGE = (0, Decimal(2)), (1000, Decimal(4))
"""A price that doubles for requests of more than 1,000 tokens."""
MODELS = {
    "tiered": Model("tiered", "openai", "Tiered", 8192, 1024, Rates(LARGE, LARGE, LARGE, ((0, Decimal(10)),)), "test"),
    "free": Model("free", "local", "Free", 2048, 256, FREE, "test"),
}


def find(provider: str, model: str) -> Model | None:
    return MODELS.get(model)


def row(*usage: ModelUsage) -> SessionRow:
    return SessionRow("a", turns=sum(each.turns for each in usage), usage=usage)


def test_a_sum_of_small_requests_is_priced_as_small_requests() -> None:
    priced = cost_of(row(ModelUsage("openai", "tiered", 4, 0, Usage(4000, 0, 0, 100))), find)
    assert priced == SessionCost(Decimal("0.009"), 4, 0)  # 4,000 at 2 and 100 at 10 per million
    assert cost_of(row(ModelUsage("openai", "tiered", 2, 0, Usage(4000, 0, 0, 100))), find).usd == Decimal("0.017")


def test_turns_without_a_price_or_without_a_report_are_counted_and_not_taken_as_free() -> None:
    mixed = row(
        ModelUsage("openai", "tiered", 3, 1, Usage(500, 0, 0, 0)),
        ModelUsage("openai", "unknown", 2, 0, Usage(9, 0, 0, 9)),
        ModelUsage("local", "free", 1, 0, Usage(9, 0, 0, 9)),
    )
    assert cost_of(mixed, find) == SessionCost(Decimal("0.001"), 6, 3)
    assert unreported_turns(mixed) == 1
    assert list(who_counted(mixed)) == ["billed", "counted"]
    assert cost_of(row(ModelUsage("openai", "unknown", 2)), find) == SessionCost(None, 2, 2)
    assert cost_of(row(), find) == SessionCost(None, 0, 0)
    assert not who_counted(row(ModelUsage("openai", "tiered", 1, 1)))
