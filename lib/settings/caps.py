"""Reads the spending caps of the installation, in USD. People can set lower ones, and nobody can raise these.

WINDOWSEAT_SESSION_CAP   the most that the requests of one chat may cost
WINDOWSEAT_DAY_CAP       the most that all chats of one person may cost on one day (UTC)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from lib.errors import InvalidSettings

HIGHEST = Decimal(1_000_000)
"""USD. What is more is a typing error."""


@dataclass(frozen=True, slots=True)
class CapSettings:
    """In USD; None is no cap."""

    session: Decimal | None = None
    day: Decimal | None = None


def cap_settings(values: Mapping[str, Any]) -> CapSettings:
    """Read both. Raises InvalidSettings."""
    return CapSettings(_usd(values, "WINDOWSEAT_SESSION_CAP"), _usd(values, "WINDOWSEAT_DAY_CAP"))


def _usd(values: Mapping[str, Any], name: str) -> Decimal | None:
    text = str(values.get(name, "")).strip().removeprefix("$")
    if not text:
        return None
    try:
        usd = Decimal(text)
    except InvalidOperation:
        usd = Decimal("NaN")
    if not (usd.is_finite() and 0 <= usd <= HIGHEST):
        raise InvalidSettings(f"{name} is {text[:40]!r}, but must be an amount in US dollars, such as 2.50.")
    return usd
