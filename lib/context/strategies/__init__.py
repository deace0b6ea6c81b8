"""The strategies by name, with the short name, label and explanation that people see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lib.context.candidates import Candidates, Summary
from lib.context.exchanges import Exchanges
from lib.context.plan import Fallback, Run
from lib.context.strategies import low_water as watermark
from lib.context.strategies import source_trim, stateless, summarize
from lib.context.strategies.options import TrimOptions

Decision = tuple[list[Run], Candidates, Fallback | None]
"""The runs, the candidates they cover, and why the plan differs from what the strategy promises, if it does."""


@dataclass(frozen=True, slots=True)
class TrimStrategy:
    """A named way to choose what is sent. `decide` chooses, given a budget in tokens."""

    name: str
    short: str
    """Two words at most, for chips, legends and sentences."""
    label: str
    """One line, beside the choice."""
    explanation: str
    """What it means for the conversation, in plain words."""
    decide: Callable[[Exchanges, int, TrimOptions, Summary | None], Decision]
    batch_target: Callable[[int, TrimOptions], int] | None = None
    """For one that drops in batches: the tokens down to which it drops, given a budget in tokens."""


def _plain(
    plan: Callable[[Exchanges, int, TrimOptions], list[Run]],
) -> Callable[[Exchanges, int, TrimOptions, Summary | None], Decision]:
    """Wrap a strategy that uses no summary."""
    return lambda exchanges, budget, options, summary: (plan(exchanges, budget, options), exchanges.candidates, None)


STRATEGIES: dict[str, TrimStrategy] = {
    strategy.name: strategy
    for strategy in (
        TrimStrategy(
            "low_water",
            "Batch",
            "Drop oldest in batches (cache-friendly)",
            "Keeps everything until the window is full, then drops the oldest exchanges in one go, down to 70 % of the"
            " budget by default. The next requests then begin the same way, and providers answer those faster and"
            " charge less for them.",
            _plain(watermark.low_water),
            watermark.batch_target,
        ),
        TrimStrategy(
            "oldest_first",
            "Oldest first",
            "Drop oldest, one exchange at a time",
            "Drops whole exchanges, oldest first, until the rest fits. It keeps the most recent messages, but once the"
            " window is full most requests begin differently, so the provider reads nearly everything again.",
            _plain(stateless.oldest_first),
        ),
        TrimStrategy(
            "head_and_tail",
            "Ends",
            "Keep the first and the newest, drop the middle",
            "Keeps the first exchanges, where a task is often explained, and the newest that fit. Drops what is in"
            " between.",
            _plain(stateless.head_and_tail),
        ),
        TrimStrategy(
            "sliding_window",
            "Last N",
            "Send the last N exchanges",
            "Sends a fixed number of exchanges, however large the window is, and fewer if they do not fit. Easy to"
            " predict, and it forgets early.",
            _plain(stateless.sliding_window),
        ),
        TrimStrategy(
            "summarize",
            "Summary",
            "Replace what is dropped by a summary",
            "Sends a summary, written by a model, in place of what no longer fits. It keeps the gist and loses the"
            " wording. Until there is a summary, the oldest exchanges are dropped without one, and you are told.",
            summarize.summarize,
            summarize.batch_target,
        ),
        TrimStrategy(
            "none",
            "Everything",
            "Drop nothing; ask when it no longer fits",
            "Sends everything. When it no longer fits, you are asked before anything is sent.",
            _plain(stateless.none),
        ),
        TrimStrategy(
            "source_trim",
            "Textbook",
            "The source document's `trimHistory`, faults included",
            "Drops single messages, second-oldest first, until the request fits or four are left. Sizes are characters"
            " / 4. It can build requests that are refused: a reply may be sent without its question. It ignores pins.",
            _plain(source_trim.source_trim),
        ),
    )
}
DEFAULT_STRATEGY = "low_water"
