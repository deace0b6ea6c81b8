"""Builds the lab's results as tables, for charts and tables on a page.

What is not known is a missing value, never 0. A page says who counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from lib.lab.bakeoff import BakeOff, ContestantRun
from lib.lab.latency import MeasuredLatency
from lib.lab.trim_costs import TrimCosts

if TYPE_CHECKING:
    import pandas as pd

Measure = Literal["sent", "processed", "left_out", "cost"]
"""What `curves` draws: fields of TurnResult."""


def curves(result: BakeOff, measure: Measure) -> pd.DataFrame:
    """One row per contestant and turn. Costs are summed up, in USD."""
    import pandas as pd

    rows = [
        (run.entry.name, turn, value)
        for run in result.courses
        for turn, value in enumerate(_values(run, measure), start=1)
    ]
    return pd.DataFrame(rows, columns=["strategy", "turn", measure])


def _values(run: ContestantRun, measure: Measure) -> list[float]:
    values = [getattr(step, measure) for step in run.steps]
    return [float(value) for value in accumulate(values)] if measure == "cost" else values


def facts(result: BakeOff, names: Sequence[str]) -> pd.DataFrame:
    """One row per fact, one column per contestant: how many requests held it, and from which turn on none did."""
    import pandas as pd

    rows = [[name, *(_kept(run, place) for run in result.courses)] for place, name in enumerate(names)]
    return pd.DataFrame(rows, columns=["fact", *(run.entry.name for run in result.courses)])


def _kept(run: ContestantRun, fact: int) -> str:
    held, requests = run.kept(fact)
    lost = run.lost_at(fact)
    return f"{held} of {requests} turns" + (f", lost at turn {lost}" if lost is not None else "")


def totals(result: BakeOff) -> pd.DataFrame:
    """One row per contestant; tokens, messages and USD."""
    import pandas as pd

    rows = [
        [
            run.entry.name,
            run.entry.settings.max_tokens,
            *(run.sent, run.cached, run.processed, run.reply),
            None if run.cost is None else float(run.cost),
            run.most_left_out,
            run.unfit,
        ]
        for run in result.courses
    ]
    tokens = ["tokens sent", "from the cache", "uncached", "replies"]
    names = ["strategy", "window", *tokens, "cost in USD", "most messages dropped", "did not fit"]
    return pd.DataFrame(rows, columns=names)


def costs(compared: TrimCosts, names: Sequence[str], *, money: bool) -> pd.DataFrame:
    """The running sums of both strategies under these names: uncached tokens, or USD."""
    import pandas as pd

    rows = []
    for name, run in zip(names, (compared.each_turn, compared.in_batches), strict=True):
        values = [float(step.cost or 0) if money else step.processed for step in run.steps]
        rows += [(name, turn, value) for turn, value in enumerate(accumulate(values), start=1)]
    return pd.DataFrame(rows, columns=["strategy", "turn", "so far"])


def latencies(results: Sequence[MeasuredLatency]) -> pd.DataFrame:
    """One row per request that was timed."""
    import pandas as pd

    rows = [
        [
            result.name,
            result.turn,
            result.tokens,
            result.cold,
            result.first_token_ms,
            result.usage.cached_tokens,
            "" if result.error is None else str(result.error.get("what", "")),
        ]
        for result in results
    ]
    names = ["strategy", "turn", "tokens", "cold", "first token in ms", "from the cache", "error"]
    return pd.DataFrame(rows, columns=names).astype({"from the cache": "Int64", "first token in ms": "float64"})
