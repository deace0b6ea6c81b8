"""Builds tables of requests, counters and bills, for charts, tables on a page and CSV files.

Every column of numbers says in its name who counted, or has a column "who counted" beside it. What is not known is a
missing value, never 0. Tokens are whole numbers, money is in USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from lib.analysis.bills import Bill, PriceComparison
from lib.analysis.requests import RequestRecord, SizesOf
from lib.messages import Usage
from lib.tokens import Provenance, TokenCounter, provenance_label
from lib.turns import Turn

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("added by the template", "system prompt", "pinned", "history", "newest message")
"""The parts of a request as columns, in the order of lib.analysis.requests.RequestParts."""
REPORTED = ("read by the server", "of that cached", "written by the server")
MONEY = ("cost", "input", "cached input", "written to the cache", "output", "of that reasoning", "hidden")
COSTS = ("cost uncached", "cost cached")
WHO = "who counted"
FITS = {True: "yes", False: "no", None: "not known"}


def by(counter: TokenCounter) -> str:
    """Example: by(ESTIMATE) -> "characters / 4, ~estimated"."""
    return _source(counter.name, counter.provenance)


def _source(name: str, provenance: Provenance) -> str:
    return f"{name}, {provenance_label(provenance)}"


def requests(records: Sequence[RequestRecord], sizes_of: SizesOf) -> pd.DataFrame:
    """One row per request: its parts by the counter that `sizes_of` gives it, and what the provider reported."""
    import pandas as pd

    rows = []
    for record in records:
        parts = sizes_of(record).parts(record)
        rows.append(
            [
                record.name,
                *(parts.template, parts.system, parts.pinned, parts.history, parts.newest),
                *(parts.sent, parts.reply, parts.left_out, parts.resent),
                *_reported(record.turn),
            ]
        )
    columns = ["request", *PARTS, "sent", "reply", "not sent", "re-sent", *REPORTED, "who counted for the server"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["re-sent so far"] = frame["re-sent"].cumsum()
    for name in REPORTED:
        frame[name] = frame[name].astype("Int64")
    frame[WHO] = [by(sizes_of(record).counter) for record in records]
    return frame


def _reported(turn: Turn | None) -> tuple[int | None, int | None, int | None, str]:
    """What the provider said of a turn: tokens read, cached and written, and who counted them."""
    usage = Usage() if turn is None else turn.usage
    who = turn.usage_provenance if turn is not None and usage.input_tokens is not None else ""
    return usage.input_tokens, usage.cached_tokens, usage.output_tokens, who


@dataclass(frozen=True, slots=True)
class CounterTotals:
    """One counter's total for each request, in tokens; None for a request it did not count.

    `differing` says for each request how many messages it would keep or drop differently at today's budget.
    """

    name: str
    provenance: Provenance
    totals: Sequence[int | None]
    differing: Sequence[int] | None = None


def who_counted(
    names: Sequence[str], actual: Sequence[tuple[int, str]], counters: Sequence[CounterTotals]
) -> pd.DataFrame:
    """One row per request: the best figure (tokens, who counted them), then each counter's with its signed error."""
    import pandas as pd

    frame = pd.DataFrame(
        {"request": list(names), "actual": [tokens for tokens, _ in actual], WHO: [who for _, who in actual]}
    )
    for counter in counters:
        frame[_source(counter.name, counter.provenance)] = pd.array(list(counter.totals), dtype="Int64")
        frame[f"{counter.name}: error, %"] = [
            None if tokens is None or not true else round(100 * (tokens - true) / true, 1)
            for tokens, (true, _) in zip(counter.totals, actual, strict=True)
        ]
        if counter.differing is not None:
            frame[f"{counter.name}: different decisions"] = list(counter.differing)
    return frame


def money(bills: Sequence[Bill]) -> pd.DataFrame:
    """One row per request: the parts of its cost and the sum so far (USD), and whose tokens were priced."""
    import pandas as pd

    rows = [[bill.name, *_cost_parts(bill), bill.model, bill.provider] for bill in bills]
    frame = pd.DataFrame(rows, columns=["request", *MONEY, WHO, "model", "provider"])
    frame[list(MONEY)] = frame[list(MONEY)].astype("float64")
    frame.insert(2, "so far", frame["cost"].cumsum())
    return frame


def _cost_parts(bill: Bill) -> list[float | str | None]:
    """The columns of MONEY, then who counted."""
    cost = bill.cost
    if cost is None:
        return [*[None] * len(MONEY), "no price known"]
    parts = (cost.uncached_input, cost.cached_input, cost.cache_write, cost.output, cost.reasoning, cost.hidden)
    return [float(cost.total), *map(float, parts), f"{provenance_label(bill.provenance)} tokens at list price"]


def price_comparison(comparisons: Sequence[PriceComparison]) -> pd.DataFrame:
    """One row per model: what the same conversation costs at its list price (USD), by its own counter."""
    import pandas as pd

    rows = [
        [
            row.model.name,
            *(None if cost is None else float(cost) for cost in (row.plain, row.with_cache)),
            FITS[row.fits],
            *(row.input_tokens, row.cached_tokens, row.output_tokens),
            row.model.context_window,
            _source(row.counter, row.provenance),
            row.model.vendor,
        ]
        for row in comparisons
    ]
    tokens = ["input tokens", "of them cacheable", "output tokens"]
    return pd.DataFrame(rows, columns=["model", *COSTS, "fits", *tokens, "window in tokens", WHO, "provider"])


def growth(costs: Mapping[str, Sequence[float]], label: str) -> pd.DataFrame:
    """The running sums, one row per strategy and turn. `costs` holds one figure per turn for each strategy."""
    import pandas as pd

    rows = [
        [strategy, turn, total]
        for strategy, each in costs.items()
        for turn, total in enumerate(accumulate(each), start=1)
    ]
    return pd.DataFrame(rows, columns=["strategy", "turn", label])
