"""The cliff map: who survives at which budget.

The rule: a map decides with the same `plan_context` as sending does, once for each budget, and keeps what it decided as
runs over stored indexes: 60 budgets over 10,000 messages are a few hundred runs, not 600,000 cells. Budgets are input
budgets, in tokens: what a request may hold once the reply has its room. Nobody is asked and nothing is stored.
It leaves out what breaks on the way down (lib/lab/break_points.py) and drawing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from lib.context import Marks, TrimOptions, plan_context
from lib.context.plan import Candidates, ContextPlan, ContextWindow, Run, Summary
from lib.turns import PlanSummary

SMALLEST = 300
"""Tokens of the smallest budget that `budgets` offers, where the window is larger than that."""


@dataclass(frozen=True, slots=True)
class Row:
    """One budget. `runs` cover every stored message once, in order, and the new message last where there is one."""

    budget: int
    """Tokens the request may hold."""
    runs: tuple[Run, ...]
    """Over stored indexes; the new message stands behind the last of them."""
    input_tokens: int
    """Tokens of what would be sent, system prompt and chat template included."""
    fits: bool
    """Whether that is within the budget; where it is not, the person would be asked."""
    fallback: str | None = None
    """Why something else was done than the strategy promises, for people."""

    def run_at(self, index: int) -> Run:
        """The run that holds this stored index. Raises IndexError where none does. O(log runs)."""
        place = bisect_right(self.runs, index, key=itemgetter(0)) - 1
        if place < 0 or index >= self.runs[place].stop:
            raise IndexError(f"no stored message {index}")
        return self.runs[place]

    def sends(self, index: int) -> bool:
        """Whether the message stored at this index would be sent."""
        return self.run_at(index).included


@dataclass(frozen=True, slots=True)
class CliffMap:
    """One history at every budget, smallest first. `rows` stand beside `budgets`."""

    budgets: tuple[int, ...]
    rows: tuple[Row, ...]

    def survives(self, message_index: int) -> int | None:
        """The smallest budget at which a stored message is sent and stays: at every larger one it is sent, too.

        None where it is left out even at the largest budget.
        Example: sent at 300, left out at 600, sent at 900 and 1200 -> 900
        """
        found = None
        for row in reversed(self.rows):
            if not row.sends(message_index):
                break
            found = row.budget
        return found

    def survivals(self) -> Iterator[tuple[int, int, int | None]]:
        """Stretches start..stop of stored indexes with one answer of `survives` each, in order.

        Example: 6 stored messages, the last two sent from 300 on, the others from 900 on -> (0, 4, 900), (4, 6, 300)
        """
        edges = sorted({edge for row in self.rows for run in row.runs for edge in run[:2]})
        begun: tuple[int, int | None] | None = None
        for edge in edges[:-1]:
            now = self.survives(edge)
            if begun is not None and begun[1] != now:
                yield begun[0], edge, begun[1]
            if begun is None or begun[1] != now:
                begun = edge, now
        if begun is not None:
            yield begun[0], edges[-1], begun[1]


def budgets(upto: int, steps: int = 60) -> tuple[int, ...]:
    """Budgets from a few hundred tokens to `upto`, each larger than the last by the same factor, `upto` the last of them.

    Fewer than `steps` where whole tokens do not tell them apart; 300 is the first, or half of a window below 600.
    Example: budgets(4800, 5) -> (300, 600, 1200, 2400, 4800)
    """
    last = max(1, upto)
    first = max(1, min(SMALLEST, last // 2))
    factor = (last / first) ** (1 / max(1, steps - 1))
    return tuple(sorted({last, *(min(last, round(first * factor**step)) for step in range(max(0, steps - 1)))}))


def cliff_map(
    candidates: Candidates,
    strategy: str,
    at: Sequence[int],
    options: TrimOptions | None = None,
    muted: Collection[int] = (),
    pinned: Collection[int] = (),
    summary: Summary | None = None,
) -> CliffMap:
    """Plan the same request at each of these budgets (tokens). Raises KeyError for an unknown strategy.

    `muted`, `pinned` and `summary` are what plan_context takes. The strategies' memory of the history is left alone.
    Example: cliff_map(Candidates.gather("", history, None, ledger), "low_water", budgets(128_000))
    """
    alone = replace(
        candidates, totals=replace(candidates.totals, memo={})
    )  # dozens of budgets would push out the chat's own
    ordered = tuple(sorted(set(at)))
    rows = (
        _row(budget, plan_context(alone, ContextWindow(budget, 0), strategy, Marks.of(muted, pinned, summary), options))
        for budget in ordered
    )
    return CliffMap(ordered, tuple(rows))


def _row(budget: int, plan: ContextPlan) -> Row:
    seen = PlanSummary.of(plan)
    return Row(budget, tuple(Run(*run) for run in seen.runs), seen.input_tokens, seen.fits, seen.fallback)
