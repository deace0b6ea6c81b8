"""The cliff map: which messages are sent at which budget.

The request is planned with `plan_context` once for each budget. The decisions are kept as runs over stored indexes: 60
budgets over 10,000 messages make a few hundred runs, not 600,000 cells. A budget is an input budget: the tokens of the
window without those reserved for the reply. lib/lab/break_points.py finds what breaks at small budgets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from lib.analysis.runs import range_at
from lib.context import NO_MARKS, Marks, TrimOptions, plan_context
from lib.context.candidates import Candidates
from lib.context.plan import ContextPlan, ContextWindow, Run
from lib.turns import PlanSummary

SMALLEST = 300
"""Tokens of the smallest budget that `budgets` offers, unless the largest is below twice that."""


@dataclass(frozen=True, slots=True)
class Row:
    """One budget. `runs` cover every stored message once, in order, and the new message last if there is one."""

    budget: int
    """Tokens the request may hold."""
    runs: tuple[Run, ...]
    """Over stored indexes; the new message has the index after the last of them."""
    input_tokens: int
    """Tokens of the request, with system prompt and chat template."""
    fits: bool
    """Whether that is within the budget; if not, the chat would ask the person."""
    fallback: str | None = None
    """A sentence that says why the plan differs from what the strategy promises; None if it does not."""

    def run_at(self, index: int) -> Run:
        """The run that holds this stored index. Raises IndexError if none does. O(log runs)."""
        run = range_at(self.runs, index)
        if run is None:
            raise IndexError(f"no stored message {index}")
        return run

    def sends(self, index: int) -> bool:
        """Whether the message stored at this index would be sent."""
        return self.run_at(index).included


def _sent_in(row: Row, dropped: Run) -> int | None:
    """The first stored index of `dropped` that the request of `row` holds."""
    return next(
        (
            max(run.start, dropped.start)
            for run in row.runs
            if run.included and run.start < dropped.stop and dropped.start < run.stop
        ),
        None,
    )


@dataclass(frozen=True, slots=True)
class Reversal:
    """A message that a smaller budget sends and a larger one drops. `index` is its stored index."""

    index: int
    smaller: Row
    larger: Row


@dataclass(frozen=True, slots=True)
class CliffMap:
    """One history at every budget, smallest first. There is one of `rows` for each of `budgets`."""

    budgets: tuple[int, ...]
    rows: tuple[Row, ...]

    def survives(self, message_index: int) -> int | None:
        """The smallest budget from which on a stored message is always sent.

        None if it is not sent even at the largest budget. Raises IndexError if there is no such message.
        Example: sent at 300, dropped at 600, sent at 900 and 1200 -> 900
        """
        found = None
        for row in reversed(self.rows):
            if not row.sends(message_index):
                break
            found = row.budget
        return found

    def reversals(self) -> list[Reversal]:
        """Where a larger budget drops messages that the next smaller one sends; one for each two rows that differ so.

        Only budgets at which the request fits count. Example: sent at 300, dropped at 600 -> Reversal(0, below, above)
        """
        found = []
        for smaller, larger in pairwise(row for row in self.rows if row.fits):
            dropped = next(
                (run for run in larger.runs if not run.included and _sent_in(smaller, run) is not None), None
            )
            if dropped is not None:
                index = _sent_in(smaller, dropped)
                assert index is not None
                found.append(Reversal(index, smaller, larger))
        return found

    def survivals(self) -> Iterator[tuple[int, int, int | None]]:
        """The ranges (start, stop, budget) of stored indexes for which `survives` gives the same budget, in order.

        Example: 6 stored messages, the last two sent from 300 on, the others from 900 on -> (0, 4, 900), (4, 6, 300)
        """
        edges = sorted({edge for row in self.rows for run in row.runs for edge in run[:2]})
        same_budget = groupby(pairwise(edges), key=lambda edge: self.survives(edge[0]))
        for budget, group in same_budget:
            parts = list(group)
            yield parts[0][0], parts[-1][1], budget


def budgets(upto: int, steps: int = 60) -> tuple[int, ...]:
    """Budgets in tokens from 300 (or half of `upto` if that is less) to `upto`, each larger by the same factor.

    There are fewer than `steps` if some of them round to the same number of tokens.
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
    marks: Marks = NO_MARKS,
) -> CliffMap:
    """Plan the same request at each of these budgets (tokens). Raises KeyError for an unknown strategy.

    Example: cliff_map(Candidates.gather("", history, None, ledger), "low_water", budgets(128_000))
    """
    # With the shared memo, dozens of budgets would push out what the chat's own planning keeps there.
    own_memo = replace(candidates, totals=replace(candidates.totals, memo={}))
    ordered = tuple(sorted(set(at)))
    rows = (
        _row(budget, plan_context(own_memo, ContextWindow(budget, 0), strategy, marks, options)) for budget in ordered
    )
    return CliffMap(ordered, tuple(rows))


def _row(budget: int, plan: ContextPlan) -> Row:
    planned = PlanSummary.of(plan)
    return Row(budget, tuple(Run(*run) for run in planned.runs), planned.input_tokens, planned.fits, planned.fallback)
