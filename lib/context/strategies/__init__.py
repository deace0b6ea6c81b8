"""The strategies by name, with the words a person chooses them by.

The rule: a label says what is left out, an explanation says in plain words what that means for the conversation; neither
needs any other page to be understood. It leaves out how each one decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lib.context.exchanges import Exchanges
from lib.context.plan import Candidates, Fallback, Run, Summary
from lib.context.strategies import low_water as watermark
from lib.context.strategies import source_trim, stateless, summarize
from lib.context.strategies.options import TrimOptions

Decision = tuple[list[Run], Candidates, Fallback | None]
"""The runs, the candidates they cover, and why the strategy could not be kept, where it could not."""


@dataclass(frozen=True, slots=True)
class TrimStrategy:
    """A named way to choose. `label` and `explanation` are shown to people; `decide` chooses, given a budget in tokens."""

    name: str
    label: str
    explanation: str
    decide: Callable[[Exchanges, int, TrimOptions, Summary | None], Decision]


def _plain(
    plan: Callable[[Exchanges, int, TrimOptions], list[Run]],
) -> Callable[[Exchanges, int, TrimOptions, Summary | None], Decision]:
    """A strategy that has no use for a summary."""
    return lambda exchanges, budget, options, summary: (plan(exchanges, budget, options), exchanges.candidates, None)


STRATEGIES: dict[str, TrimStrategy] = {
    strategy.name: strategy
    for strategy in (
        TrimStrategy(
            "low_water",
            "Leave out the oldest, seldom and many at once",
            "Nothing is left out until the conversation no longer fits. Then the oldest exchanges go until a good part"
            " of the window is free, and it stays like that for many messages: the request begins the same each time,"
            " which providers answer faster and charge less for.",
            _plain(watermark.low_water),
        ),
        TrimStrategy(
            "oldest_first",
            "Leave out the oldest, as few as possible",
            "Whole exchanges are left out, oldest first, until the rest fits. It remembers the most, but once the"
            " window is full the request begins differently each time, so the provider has to read all of it anew.",
            _plain(stateless.oldest_first),
        ),
        TrimStrategy(
            "head_and_tail",
            "Leave out the middle",
            "The first exchanges stay, where a task is often explained, and so do the newest that fit. What is between"
            " them is left out.",
            _plain(stateless.head_and_tail),
        ),
        TrimStrategy(
            "sliding_window",
            "Send only the last few exchanges",
            "A fixed number of exchanges is sent, however much room there is; fewer where they do not fit. Easy to"
            " foresee, and it forgets early.",
            _plain(stateless.sliding_window),
        ),
        TrimStrategy(
            "summarize",
            "Replace the oldest by a summary",
            "What no longer fits is sent as a summary that a model wrote. It keeps the gist and loses the wording."
            " Until there is a summary, the oldest exchanges are left out without one, and you are told.",
            summarize.summarize,
        ),
        TrimStrategy(
            "none",
            "Leave out nothing",
            "Everything is sent. When it no longer fits, you are asked before anything is sent.",
            _plain(stateless.none),
        ),
        TrimStrategy(
            "source_trim",
            "The textbook's trimHistory",
            "Single messages are dropped, second-oldest first, until it fits or four are left; sizes are characters /"
            " 4. Can build requests that are refused: a reply may be sent without its question. Pins are not honoured.",
            _plain(source_trim.source_trim),
        ),
    )
}
DEFAULT_STRATEGY = "low_water"
