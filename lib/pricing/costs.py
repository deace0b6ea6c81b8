"""What a request costs: tokens times list price.

The rule: the parts add up to the total, and the total is genai-prices' own. Where a price or a number of tokens is not known,
the cost is None, never 0. All money is USD.
It leaves out discounts (batch, flex, priority), and taxes: list prices are what anybody pays who asks for nothing special.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from lib.messages import Usage
from lib.pricing.catalogue import Model, Rates, Tiers, find

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """One request in USD. `reasoning` is a part of `output`; `hidden` is what the usage's other figures leave out."""

    uncached_input: Decimal
    cached_input: Decimal
    cache_write: Decimal
    output: Decimal
    reasoning: Decimal
    hidden: Decimal

    @property
    def total(self) -> Decimal:
        return self.uncached_input + self.cached_input + self.cache_write + self.output + self.hidden


def cost(model: Model, usage: Usage, at: float | None = None) -> Cost | None:
    """The cost of one request, at the prices of its time (seconds since the epoch; now by default).

    Cache writes are priced as kept for the shortest time a vendor offers. Where more is reported as cached or written than was
    read at all, no more than what was read is priced. Hidden tokens are taken as input, since how many of them were written
    is not reported. None where no price is known, or the provider did not say what was read and written.
    """
    rates = _rates(model, at)
    if rates is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    whole = usage.input_tokens
    cached = min(usage.cached_tokens or 0, whole)
    written = min(usage.cache_write_tokens or 0, whole - cached)
    reasoning = min(usage.reasoning_tokens or 0, usage.output_tokens)
    return Cost(
        _price(rates.input, whole, whole - cached - written),
        _price(rates.cached_input, whole, cached),
        _price(rates.cache_write, whole, written),
        _price(rates.output, whole, usage.output_tokens),
        _price(rates.output, whole, reasoning),
        _price(rates.input, usage.hidden_tokens or 0, usage.hidden_tokens or 0),
    )


def saved_by_cache(model: Model, usage: Usage, at: float | None = None) -> Decimal | None:
    """What the cached part would have cost uncached, minus what it did; None where that is not known."""
    rates = _rates(model, at)
    if rates is None or usage.input_tokens is None or usage.cached_tokens is None:
        return None
    cached = min(usage.cached_tokens, usage.input_tokens)
    return _price(rates.input, usage.input_tokens, cached) - _price(rates.cached_input, usage.input_tokens, cached)


def _rates(model: Model, at: float | None) -> Rates | None:
    """The model's rates, of another time where one is asked for and known."""
    dated = find(model.vendor, model.name, at) if at is not None else None
    return model.rates if dated is None else dated.rates


def _price(tiers: Tiers, whole: int, tokens: int) -> Decimal:
    """`tokens` at the price that holds for a request with this whole input."""
    rate = tiers[0][1]
    for start, price in tiers:
        if whole > start:
            rate = price
    return rate * tokens / MILLION
