"""Decides what the next request holds: `plan_context` applies a strategy to everything that could be sent.

A strategy returns runs that cover every candidate exactly once, with one reason each; it never edits a message and
never touches the store. Every strategy but `source_trim` (the source document's own, faults included) keeps exchanges
whole. Every strategy but `source_trim` and `none` builds a request that starts with a user message and pairs every
tool call with its results, at any budget and from any stored history. A plan that does not fit says so; sending it is
up to the person.
"""

from __future__ import annotations

from lib.context.candidates import Candidates
from lib.context.exchanges import Exchanges
from lib.context.marks import NO_MARKS, Marks
from lib.context.plan import ContextPlan, ContextWindow
from lib.context.runs import joined
from lib.context.strategies import DEFAULT_STRATEGY, STRATEGIES, TrimStrategy
from lib.context.strategies.options import LOW_MARKS, TrimOptions
from lib.context.strategies.summarize import WantedSummary, wanted_summary

__all__ = [
    "DEFAULT_STRATEGY",
    "LOW_MARKS",
    "NO_MARKS",
    "STRATEGIES",
    "Marks",
    "TrimOptions",
    "TrimStrategy",
    "WantedSummary",
    "plan_context",
    "wanted_summary",
]


def plan_context(
    candidates: Candidates,
    window: ContextWindow,
    strategy: str,
    marks: Marks = NO_MARKS,
    options: TrimOptions | None = None,
) -> ContextPlan:
    """Plan one request. Where pins leave no room, the plan does not fit. Raises KeyError for an unknown strategy.

    Example: plan_context(candidates, ContextWindow(4096, 512), "sliding_window", options=TrimOptions(last_exchanges=3))
    """
    exchanges = Exchanges(candidates, marks.muted, marks.pinned)
    chosen, budget, options = STRATEGIES[strategy], window.input_budget, options or TrimOptions()
    runs, planned, fallback = chosen.decide(exchanges, budget, options, marks.summary)
    target = None if chosen.batch_target is None else chosen.batch_target(budget, options)
    return ContextPlan(planned, tuple(joined(runs)), window, strategy, fallback, marks.pinned, target)
