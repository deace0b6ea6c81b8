"""Works out what a request costs: tokens times list price, in USD.

The parts add up to the total that genai-prices calculates. If a price or a token count is unknown, the cost is None,
never 0. Discounts (batch, flex, priority) and taxes are not included.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from lib.messages import Usage
from lib.pricing.catalogue import find
from lib.pricing.model import Model, Rates, Tiers

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one request in USD. `reasoning` is part of `output`; `hidden` is for tokens the other parts omit."""

    uncached_input: Decimal
    cached_input: Decimal
    cache_write: Decimal
    output: Decimal
    reasoning: Decimal
    hidden: Decimal

    @property
    def total(self) -> Decimal:
        return self.uncached_input + self.cached_input + self.cache_write + self.output + self.hidden


def cost(model: Model, usage: Usage, at: float | None = None, requests: int = 1) -> Cost | None:
    """The cost of one request at the prices of `at` (seconds since the epoch; now by default).

    With `requests`, `usage` is the sum of so many requests, and each is priced as one of their average size.

    None if there is no price or the provider did not report input and output tokens. Cache writes are priced for the
    shortest lifetime a vendor offers. If more tokens are reported as cached or written than were read, only those read
    are priced. Hidden tokens are priced as input, because providers do not say how many of them are output.
    """
    rates = _rates_at(model, at)
    if rates is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    total_input = usage.input_tokens
    cached = min(usage.cached_tokens or 0, total_input)
    written = min(usage.cache_write_tokens or 0, total_input - cached)
    reasoning = min(usage.reasoning_tokens or 0, usage.output_tokens)
    hidden, size = usage.hidden_tokens or 0, total_input // max(1, requests)
    return Cost(
        uncached_input=_price(rates.input, size, total_input - cached - written),
        cached_input=_price(rates.cached_input, size, cached),
        cache_write=_price(rates.cache_write, size, written),
        output=_price(rates.output, size, usage.output_tokens),
        reasoning=_price(rates.output, size, reasoning),
        hidden=_price(rates.input, hidden, hidden),
    )


def total_cost(model: Model | None, usage: Usage, at: float | None = None) -> Decimal | None:
    """USD of one request as `cost` has it; None where that is not known.

    A model on this machine costs nothing, also where its server reports no tokens.
    """
    if model is not None and model.vendor == "local":
        return Decimal(0)
    price = None if model is None else cost(model, usage, at)
    return None if price is None else price.total


def most_cost(model: Model, input_tokens: int, output_tokens: int) -> Decimal | None:
    """USD of a request if nothing is read from a cache and the reply takes all its room; None without a price.

    Where writing to the cache costs more than reading the input, all of it is taken as written.
    """
    prices = [cost(model, Usage(input_tokens, 0, written, output_tokens)) for written in (0, input_tokens)]
    totals = [price.total for price in prices if price is not None]
    return max(totals) if totals else None


def saved_by_cache(model: Model, usage: Usage, at: float | None = None) -> Decimal | None:
    """How much less the cached tokens cost than at the full input price, in USD. None if that is unknown."""
    rates = _rates_at(model, at)
    if rates is None or usage.input_tokens is None or usage.cached_tokens is None:
        return None
    cached = min(usage.cached_tokens, usage.input_tokens)
    return _price(rates.input, usage.input_tokens, cached) - _price(rates.cached_input, usage.input_tokens, cached)


def _rates_at(model: Model, at: float | None) -> Rates | None:
    """The model's rates at that time, if the catalogue knows the model; else the rates it carries."""
    dated = find(model.vendor, model.name, at) if at is not None else None
    return model.rates if dated is None else dated.rates


def _price(tiers: Tiers, total_input: int, tokens: int) -> Decimal:
    """USD for `tokens`, in the tier of a request with `total_input` input tokens."""
    rate = tiers[0][1]
    for start, price in tiers:
        if total_input > start:
            rate = price
    return rate * tokens / MILLION
