"""Prices whole sessions from the sums over their turns, at today's list prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from lib.analysis.bills import FindModel
from lib.history.sessions import SessionRow
from lib.pricing.costs import cost
from lib.settings import EXAMPLE
from lib.tokens import Provenance


@dataclass(frozen=True, slots=True)
class SessionCost:
    """What a session's turns cost. `usd` is the sum over the priced turns, None if none could be priced."""

    usd: Decimal | None
    turns: int
    unpriced: int
    """Turns without a known price or without reported tokens; `usd` does not hold them."""


def cost_of(row: SessionRow, find: FindModel) -> SessionCost:
    """The cost of a session's turns at today's prices. Costs of summaries are not included."""
    total: Decimal | None = None
    unpriced = 0
    for each in row.usage:
        reported = each.turns - each.unreported
        model = find(each.provider, each.model)
        price = cost(model, each.usage, requests=reported) if model is not None and reported > 0 else None
        unpriced += each.turns if price is None else each.unreported
        if price is not None:
            total = (total or Decimal(0)) + price.total
    return SessionCost(total, row.turns, unpriced)


def who_counted(row: SessionRow) -> Sequence[Provenance]:
    """How the session's tokens were counted, each way once: by the provider that bills them, or on this machine."""
    ways: dict[Provenance, None] = {}
    for each in row.usage:
        if each.unreported < each.turns:
            ways["counted" if each.provider in ("local", EXAMPLE) else "billed"] = None
    return tuple(ways)


def unreported_turns(row: SessionRow) -> int:
    """Turns whose tokens nobody reported."""
    return sum(each.unreported for each in row.usage)
