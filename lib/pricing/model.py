"""The values of the model catalogue: a model with its limits and its list prices.

Prices are in USD per million tokens, limits in tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

Tiers = tuple[tuple[int, Decimal], ...]
"""Pairs of (input tokens, price), the first from 0. Once a request's input is larger than a tier's start, that price
applies to the whole request."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of one model. The input price stands in for a cache price that the vendor does not have."""

    input: Tiers
    cached_input: Tiers
    cache_write: Tiers
    output: Tiers


FREE = Rates(*[((0, Decimal(0)),)] * 4)
"""For models that run on this machine."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model of one vendor. `context_window` holds input and output together. None means unknown."""

    name: str
    vendor: str
    label: str
    context_window: int | None
    max_output: int | None
    rates: Rates | None
    source: str
    """Where the figures come from, for people."""
