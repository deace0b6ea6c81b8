"""Strategies: which of the candidates go into the request.

The rule: a strategy returns runs that cover every candidate exactly once, with one reason each; it never edits a message
and never touches the store. An exchange (a user message with everything up to the next one) stays whole in every strategy
but `source_trim`, which is the source document's `trimHistory` with its faults. Every strategy but that one and `none`
builds, at any budget and from any stored history, a request whose first message is the user's and whose tool calls all
have their results.
Left out on purpose: asking anyone. Whether a plan that does not fit may be sent is for the person to say.
"""

from __future__ import annotations

from collections.abc import Collection

from lib.context.exchanges import Exchanges
from lib.context.plan import Candidates, ContextPlan, ContextWindow, Summary
from lib.context.runs import joined
from lib.context.strategies import DEFAULT_STRATEGY, STRATEGIES, TrimStrategy
from lib.context.strategies.options import LOW_MARKS, TrimOptions
from lib.context.strategies.summarize import WantedSummary, wanted_summary

__all__ = [
    "DEFAULT_STRATEGY",
    "LOW_MARKS",
    "STRATEGIES",
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
    muted: Collection[int] = (),
    pinned: Collection[int] = (),
    options: TrimOptions | None = None,
    summary: Summary | None = None,
) -> ContextPlan:
    """Decide what the next request holds.

    `muted` and `pinned` hold the stored indexes of user messages whose exchanges are never or always sent; one that is in
    both is muted. Where pins leave no room, the plan does not fit. `summary` is used by `summarize` alone. Raises KeyError
    for an unknown strategy.
    Example: plan_context(candidates, ContextWindow(4096, 512), "sliding_window", options=TrimOptions(last_exchanges=3))
    """
    exchanges = Exchanges(candidates, muted, pinned)
    decide = STRATEGIES[strategy].decide
    runs, carried, fallback = decide(exchanges, window.input_budget, options or TrimOptions(), summary)
    return ContextPlan(carried, tuple(joined(runs)), window, strategy, fallback, frozenset(pinned))
