"""Spending: what requests cost, and the caps that they may not pass.

A cap holds for one session, or for all sessions of one person on one day (UTC). The greatest cost of a request is held
before it is sent. Models without a known price, and models on one's own machine, are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal

BILLION = Decimal(1_000_000_000)
WARN_AT = Decimal("0.8")
"""The part of a cap from which on people are warned."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that may be spent, in USD; None is no cap."""

    session: Decimal | None = None
    day: Decimal | None = None

    def lower(self, other: Caps) -> Caps:
        """The lower cap of both, each for itself."""
        return Caps(_lower(self.session, other.session), _lower(self.day, other.day))


NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent of a cap in USD, with what requests under way may still cost."""

    usd: Decimal
    cap: Decimal | None

    @property
    def part(self) -> Decimal | None:
        """The part of the cap that is used up, 1 for all of it. None without a cap."""
        if self.cap is None:
            return None
        return self.usd / self.cap if self.cap else Decimal(1)

    @property
    def warns(self) -> bool:
        """Whether people are warned."""
        return self.part is not None and self.part >= WARN_AT


def session_account(session_id: str) -> str:
    """The account of a session."""
    return f"session:{session_id}"


def day_account(owner: str, now: float) -> str:
    """The account of a person's day. Example: day_account("", 0.0) -> "day:-:1970-01-01" """
    return f"day:{owner or '-'}:{datetime.fromtimestamp(now, UTC):%Y-%m-%d}"


def days_account(owner: str) -> str:
    """Where the cap of a person's days is kept."""
    return f"days:{owner or '-'}"


def to_book(usd: Decimal) -> int:
    """USD as a spending book holds them, rounded up. Example: to_book(Decimal("0.01")) -> 10_000_000"""
    return int((usd * BILLION).to_integral_value(ROUND_CEILING))


def from_book(amount: int) -> Decimal:
    """USD of an amount in a spending book."""
    return Decimal(amount) / BILLION


def _lower(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    found = [each for each in (one, other) if each is not None]
    return min(found) if found else None
