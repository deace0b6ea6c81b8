"""What requests cost: as they were billed, and what the same conversation would cost on other models.

The rule: a cost is tokens times list price, and says whose tokens. Where a price or a number of tokens is not known, the cost
is None, never 0. All money is USD.
It leaves out prices (lib/pricing/costs.py) and which settings would have sent what (lib/analysis/replay.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from lib.analysis.replay import reused
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.messages import Usage
from lib.pricing.costs import Cost, cost
from lib.pricing.model import Model
from lib.tokens import Provenance
from lib.turns import Turn

Finder = Callable[[str, str], Model | None]
"""The catalogue's entry for (provider, model) as turns name them."""


@dataclass(frozen=True, slots=True)
class Bill:
    """One request's cost. `usage` may hold None; `provenance` says who counted it."""

    name: str
    provider: str
    model: str
    usage: Usage
    provenance: Provenance
    cost: Cost | None


def usage_of(record: RequestRecord, sizes: MessageSizes) -> tuple[Usage, Provenance]:
    """What a request read and wrote: as the provider reported it, else as the counter has it."""
    turn = record.turn
    if turn is not None and turn.usage.input_tokens is not None and turn.usage.output_tokens is not None:
        return turn.usage, turn.usage_provenance
    parts = sizes.parts(record)
    return Usage(input_tokens=parts.sent, output_tokens=parts.reply), sizes.provenance


def bills_of(
    records: Iterable[RequestRecord], detached: Iterable[Turn], sizes: MessageSizes, find: Finder
) -> list[Bill]:
    """The bill of every request, turns in their order, a summary before the turn it was made for. A request nobody recorded has no cost: who answered is not known."""
    bills: list[tuple[float, Bill]] = []
    last = 0.0
    for record in records:
        usage, provenance = usage_of(record, sizes)
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


def _summary_bill(name: str, turn: Turn | None, find: Finder) -> list[Bill]:
    """What the summary cost that was made for this turn: a bill of its own."""
    made = turn.summarized if turn is not None else None
    if made is None or turn is None:
        return []
    model = find(made.provider, made.model)
    price = None if model is None else cost(model, made.usage, turn.started_at or None)
    return [Bill(f"summary for {name}", made.provider, made.model, made.usage, made.provenance, price)]


def _bill(name: str, turn: Turn | None, usage: Usage, provenance: Provenance, find: Finder) -> Bill:
    if turn is None:
        return Bill(name, "", "", usage, provenance, None)
    model = find(turn.provider, turn.model)
    price = None if model is None else cost(model, usage, turn.started_at or None)
    return Bill(name, turn.provider, turn.model, usage, provenance, price)


def usages(records: Sequence[RequestRecord], sizes: MessageSizes, cache_minimum: int | None) -> list[Usage]:
    """What requests would read and write by this counter. With a `cache_minimum` (tokens), what a request repeats of the one
    before it is cached, where that is at least so long, and the rest is written to the cache; None: nothing is cached.
    """
    read: list[Usage] = []
    for before, now in pairwise([None, *records]):
        assert now is not None
        parts = sizes.parts(now)
        if cache_minimum is None:
            read.append(Usage(input_tokens=parts.sent, output_tokens=parts.reply))
            continue
        again = 0 if before is None else min(reused(before, now, sizes), parts.sent)
        cached = again if again >= cache_minimum else 0
        written = parts.sent - cached if parts.sent >= cache_minimum else 0
        read.append(Usage(parts.sent, cached, written, parts.reply))
    return read


@dataclass(frozen=True, slots=True)
class PriceComparison:
    """The same conversation on another model. Tokens are by that model's counter; `largest` is the largest request with its
    reply. Costs are None where no price is known."""

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
        """Whether the largest request fits the model's window; None where the window is not known."""
        return None if self.model.context_window is None else self.largest <= self.model.context_window


def elsewhere(
    records: Sequence[RequestRecord], sizes_for: Callable[[Model], MessageSizes], models: Iterable[Model]
) -> list[PriceComparison]:
    """Price a conversation on each of these models, cheapest first; without a known price last."""
    known: dict[tuple[int, int], tuple[list[Usage], list[Usage]]] = {}
    rows = []
    for model in models:
        sizes = sizes_for(model)
        minimum = cache_minimum(model)
        key = (id(sizes), minimum)
        if key not in known:
            known[key] = (usages(records, sizes, None), usages(records, sizes, minimum))
        rows.append(_elsewhere(model, sizes, *known[key]))
    return sorted(rows, key=lambda row: (row.plain is None, row.plain or Decimal(0)))


def _elsewhere(model: Model, sizes: MessageSizes, plain: list[Usage], cached: list[Usage]) -> PriceComparison:
    return PriceComparison(
        model,
        sizes.counter.name,
        sizes.provenance,
        sum(usage.input_tokens or 0 for usage in plain),
        sum(usage.output_tokens or 0 for usage in plain),
        sum(usage.cached_tokens or 0 for usage in cached),
        max(((usage.input_tokens or 0) + (usage.output_tokens or 0) for usage in plain), default=0),
        total_of(model, plain),
        total_of(model, cached),
    )


def total_of(model: Model, used: Iterable[Usage]) -> Decimal | None:
    """What these requests cost together; None where no price is known."""
    total = Decimal(0)
    for usage in used:
        price = cost(model, usage)
        if price is None:
            return None
        total += price.total
    return total


def cache_minimum(model: Model) -> int:
    """The shortest prefix, in tokens, that the provider's prompt cache keeps (their documentation, November 2026).

    OpenAI: 1,024. Anthropic: by model, 512 to 4,096; where a model is not documented, 1,024. A model on this machine: none.
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
