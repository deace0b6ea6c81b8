"""Prices requests: what they cost, and what the same conversation would cost on other models.

A cost is tokens times list price in USD and says who counted the tokens. If a price or a number of tokens is not known,
the cost is None, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from lib.analysis.replay import reusable_tokens
from lib.analysis.requests import MessageSizes, RequestRecord, SizesOf
from lib.messages import Usage
from lib.pricing.costs import Cost, cost
from lib.pricing.model import Model
from lib.tokens import Provenance
from lib.turns import Turn

FindModel = Callable[[str, str], Model | None]
"""Finds the catalogue's entry for the (provider, model) names of a turn."""


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of one request in USD. `usage` may hold None; `provenance` says who counted it."""

    name: str
    provider: str
    model: str
    usage: Usage
    provenance: Provenance
    cost: Cost | None


def usage_of(record: RequestRecord, sizes: MessageSizes) -> tuple[Usage, Provenance]:
    """Tokens a request read and wrote: what the provider reported, else what the counter says."""
    turn = record.turn
    if turn is not None and turn.usage.input_tokens is not None and turn.usage.output_tokens is not None:
        return turn.usage, turn.usage_provenance
    parts = sizes.parts(record)
    return Usage(input_tokens=parts.sent, output_tokens=parts.reply), sizes.provenance


def bills_of(
    records: Iterable[RequestRecord], detached: Iterable[Turn], sizes_of: SizesOf, find: FindModel
) -> list[Bill]:
    """A bill for every request, in the order of turns; a summary's bill comes before that of its turn.

    A request without a turn record has no cost, because the model that answered is not known.
    """
    bills: list[tuple[float, Bill]] = []
    last = 0.0
    for record in records:
        usage, provenance = usage_of(record, sizes_of(record))
        turn = record.turn
        last = last if turn is None else float(turn.number)
        bills += [(last, bill) for bill in _summary_bill(record.name, turn, find)]
        bills.append((last, _bill(record.name, turn, usage, provenance, find)))
    for turn in detached:
        bills += [(float(turn.number), bill) for bill in _summary_bill(f"turn {turn.number}", turn, find)]
        if turn.usage.input_tokens is not None:
            bill = _bill(f"turn {turn.number}", turn, turn.usage, turn.usage_provenance, find)
            bills.append((float(turn.number), bill))
    return [bill for _, bill in sorted(bills, key=lambda entry: entry[0])]


def _summary_bill(name: str, turn: Turn | None, find: FindModel) -> list[Bill]:
    """The bill of the summary that was written for this turn, if there is one."""
    summary = turn.summarized if turn is not None else None
    if summary is None or turn is None:
        return []
    model = find(summary.provider, summary.model)
    price = None if model is None else cost(model, summary.usage, turn.started_at or None)
    return [Bill(f"summary for {name}", summary.provider, summary.model, summary.usage, summary.provenance, price)]


def _bill(name: str, turn: Turn | None, usage: Usage, provenance: Provenance, find: FindModel) -> Bill:
    if turn is None:
        return Bill(name, "", "", usage, provenance, None)
    model = find(turn.provider, turn.model)
    price = None if model is None else cost(model, usage, turn.started_at or None)
    return Bill(name, turn.provider, turn.model, usage, provenance, price)


def counted_usages(records: Sequence[RequestRecord], sizes: MessageSizes, cache_minimum: int | None) -> list[Usage]:
    """The usage of each request by this counter, with a prompt cache that is warm at every turn.

    The part that repeats the previous request is read from the cache if it has at least `cache_minimum` tokens, and the
    rest is written to it. None means that nothing is cached.
    """
    usages: list[Usage] = []
    for before, now in pairwise([None, *records]):
        assert now is not None
        parts = sizes.parts(now)
        if cache_minimum is None:
            usages.append(Usage(input_tokens=parts.sent, output_tokens=parts.reply))
            continue
        reusable = 0 if before is None else min(reusable_tokens(before, now, sizes), parts.sent)
        cached = reusable if reusable >= cache_minimum else 0
        written = parts.sent - cached if parts.sent >= cache_minimum else 0
        usages.append(Usage(parts.sent, cached, written, parts.reply))
    return usages


@dataclass(frozen=True, slots=True)
class PriceComparison:
    """The cost of a conversation on another model, in USD; None if no price is known.

    Tokens are by that model's counter. `largest` is the largest request with its reply; `plain` is the cost if nothing
    is cached.
    """

    model: Model
    counter: str
    provenance: Provenance
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    largest: int
    plain: Decimal | None
    with_cache: Decimal | None

    @property
    def fits(self) -> bool | None:
        """Whether the largest request fits the model's window; None if the window is not known."""
        return None if self.model.context_window is None else self.largest <= self.model.context_window


def compare_prices(
    records: Sequence[RequestRecord], sizes_for: Callable[[Model], MessageSizes], models: Iterable[Model]
) -> list[PriceComparison]:
    """Price a conversation on each of these models, cheapest first; models without a known price come last."""
    known: dict[tuple[int, int], tuple[list[Usage], list[Usage]]] = {}
    comparisons = []
    for model in models:
        sizes = sizes_for(model)
        minimum = cache_minimum(model)
        key = (id(sizes), minimum)
        if key not in known:
            known[key] = (counted_usages(records, sizes, None), counted_usages(records, sizes, minimum))
        comparisons.append(_comparison(model, sizes, *known[key]))
    return sorted(comparisons, key=lambda row: (row.plain is None, row.plain or Decimal(0)))


def _comparison(model: Model, sizes: MessageSizes, plain: list[Usage], cached: list[Usage]) -> PriceComparison:
    return PriceComparison(
        model,
        sizes.counter.name,
        sizes.provenance,
        sum(usage.input_tokens or 0 for usage in plain),
        sum(usage.output_tokens or 0 for usage in plain),
        sum(usage.cached_tokens or 0 for usage in cached),
        max(((usage.input_tokens or 0) + (usage.output_tokens or 0) for usage in plain), default=0),
        total_price(model, plain),
        total_price(model, cached),
    )


def total_price(model: Model, usages: Iterable[Usage]) -> Decimal | None:
    """The cost of these requests together in USD; None if one price is not known."""
    prices = [cost(model, usage) for usage in usages]
    return sum_or_none(None if price is None else price.total for price in prices)


def sum_or_none(costs: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None if one of the costs is not known.

    Example: sum_or_none([Decimal("0.1"), None]) -> None
    """
    known = list(costs)
    return None if None in known else sum((part for part in known if part is not None), Decimal(0))


def cache_minimum(model: Model) -> int:
    """The shortest prefix, in tokens, that the provider's prompt cache keeps (the vendors' documentation, November
    2026).

    OpenAI: 1,024. Anthropic: 512 to 4,096 by model, 1,024 for models that are not documented. A model on this machine:
    0.
    """
    if model.vendor == "local":
        return 0
    return next((tokens for start, tokens in CACHE_MINIMUMS if model.name.startswith(start)), 1024)


CACHE_MINIMUMS = (
    ("claude-opus-5", 512),
    ("claude-fable-5", 512),
    ("claude-opus-4-8", 1024),
    ("claude-sonnet-5", 1024),
    ("claude-sonnet-4-6", 1024),
    ("claude-opus-4-7", 2048),
    ("claude-opus-4-6", 4096),
    ("claude-opus-4-5", 4096),
    ("claude-haiku-4-5", 4096),
)
