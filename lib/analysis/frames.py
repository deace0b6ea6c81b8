"""Records and bills as tables: what charts draw, tables show and CSV files hold.

The rule: every column of numbers says in its name who counted, or stands beside a column "who counted"; unknown is missing,
never 0. Tokens are whole numbers, money is USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from lib.analysis.bills import Bill, PriceComparison
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.tokens import Provenance, TokenCounter

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("added by the template", "system prompt", "pinned", "history", "newest message")
"""The parts of a request as columns, in the order of lib.analysis.requests.RequestParts."""
WHO = "who counted"


def by(counter: TokenCounter) -> str:
    """Example: by(ESTIMATE) -> "characters / 4, ~estimated"."""
    return f"{counter.name}, {'~' if counter.provenance == 'estimated' else ''}{counter.provenance}"


def requests(records: Sequence[RequestRecord], sizes: MessageSizes) -> pd.DataFrame:
    """One row per request: its parts by one counter, and what the provider says it read and wrote."""
    import pandas as pd

    rows = []
    for record in records:
        parts, usage = sizes.parts(record), record.turn.usage if record.turn is not None else None
        rows.append(
            [
                record.name,
                parts.template,
                parts.system,
                parts.pinned,
                parts.history,
                parts.newest,
                parts.sent,
                parts.reply,
                parts.left_out,
                parts.resent,
                None if usage is None else usage.input_tokens,
                None if usage is None else usage.cached_tokens,
                None if usage is None else usage.output_tokens,
                (
                    record.turn.usage_provenance
                    if record.turn is not None and record.turn.usage.input_tokens is not None
                    else ""
                ),
            ]
        )
    frame = pd.DataFrame(
        rows,
        columns=[
            "request",
            *PARTS,
            "sent",
            "reply",
            "left out",
            "re-sent",
            "read by the server",
            "of that cached",
            "written by the server",
            "who counted for the server",
        ],
    )
    frame["re-sent so far"] = frame["re-sent"].cumsum()
    for name in ("read by the server", "of that cached", "written by the server"):
        frame[name] = frame[name].astype("Int64")
    frame[WHO] = by(sizes.counter)
    return frame


@dataclass(frozen=True, slots=True)
class Counted:
    """One counter's totals, request by request; None where it was not asked. `otherwise` says by how many messages it would
    decide differently from the best counter, at the budget of today."""

    name: str
    provenance: Provenance
    totals: Sequence[int | None]
    otherwise: Sequence[int] | None = None


def who_counted(names: Sequence[str], best: Sequence[tuple[int, str]], counters: Sequence[Counted]) -> pd.DataFrame:
    """One row per request: the best figure there is and who has it, then every counter's with its signed error."""
    import pandas as pd

    frame = pd.DataFrame(
        {"request": list(names), "best figure": [tokens for tokens, _ in best], WHO: [who for _, who in best]}
    )
    for counter in counters:
        mark = "~" if counter.provenance == "estimated" else ""
        frame[f"{counter.name}, {mark}{counter.provenance}"] = pd.array(list(counter.totals), dtype="Int64")
        frame[f"{counter.name}: error, %"] = [
            None if tokens is None or not true else round(100 * (tokens - true) / true, 1)
            for tokens, (true, _) in zip(counter.totals, best, strict=True)
        ]
        if counter.otherwise is not None:
            frame[f"{counter.name}: messages decided otherwise"] = list(counter.otherwise)
    return frame


def money(bills: Sequence[Bill]) -> pd.DataFrame:
    """One row per request: its cost in parts and so far (USD), and whose tokens were priced."""
    import pandas as pd

    rows = []
    for bill in bills:
        cost = bill.cost
        parts = (
            [None] * 7
            if cost is None
            else [
                cost.uncached_input,
                cost.cached_input,
                cost.cache_write,
                cost.output,
                cost.reasoning,
                cost.hidden,
                cost.total,
            ]
        )
        who = f"{bill.provenance} tokens at list price" if cost is not None else "no price known"
        rows.append(
            [bill.name, bill.provider, bill.model, *[None if part is None else float(part) for part in parts], who]
        )
    frame = pd.DataFrame(rows, columns=["request", "provider", "model", *MONEY, WHO])
    frame[list(MONEY)] = frame[list(MONEY)].astype("float64")
    frame["so far"] = frame["cost"].cumsum()
    return frame


MONEY = ("input", "cached input", "written to the cache", "output", "of that reasoning", "hidden", "cost")


def elsewhere(rows: Sequence[PriceComparison]) -> pd.DataFrame:
    """One row per model: the same conversation at its list price, with its own counter."""
    import pandas as pd

    return pd.DataFrame(
        [
            [
                row.model.name,
                row.model.vendor,
                row.input_tokens,
                row.cached_tokens,
                row.output_tokens,
                None if row.plain is None else float(row.plain),
                None if row.with_cache is None else float(row.with_cache),
                row.model.context_window,
                {True: "yes", False: "no", None: "not known"}[row.fits],
                f"{row.counter}, {row.provenance}",
            ]
            for row in rows
        ],
        columns=[
            "model",
            "provider",
            "input tokens",
            "of that could be cached",
            "output tokens",
            "cost, nothing cached",
            "cost, prefix cached",
            "window in tokens",
            "fits",
            WHO,
        ],
    )


def growth(costs: Mapping[str, Sequence[float]], label: str) -> pd.DataFrame:
    """Long form: strategy, turn, so far. `costs` holds one figure per turn for each strategy."""
    import pandas as pd

    rows = [
        [strategy, turn, total]
        for strategy, each in costs.items()
        for turn, total in enumerate(accumulate(each), start=1)
    ]
    return pd.DataFrame(rows, columns=["strategy", "turn", label])
