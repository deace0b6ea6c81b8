"""What trimming each turn costs against trimming seldom: oldest_first beside low_water, computed.

The rule: both sides get the same messages, window and model, and differ in their strategy alone. Tokens are by one counter;
money is those tokens at list price with a prompt cache that is warm at every turn, None where no price is known. Turns that
were made up to see further are told apart from the stored ones.
It leaves out measuring (lib/lab/latency.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lib.analysis.replay import continued, replayed
from lib.analysis.requests import MessageSizes
from lib.chat_settings import ChatSettings
from lib.lab.bakeoff import Contestant, ContestantRun, steps
from lib.messages import Message
from lib.pricing.model import Model
from lib.tool_calls import opens_exchange

EACH_TURN, SELDOM = "oldest_first", "low_water"


@dataclass(frozen=True, slots=True)
class TrimCosts:
    """The two courses beside each other. Entries are named after their strategies."""

    each_turn: ContestantRun
    seldom: ContestantRun
    real_turns: int
    """How many of the turns are stored; those behind them are made up, of the mean size so far."""

    @property
    def ratio(self) -> float | None:
        """How many times as many tokens trimming each turn makes the model read anew; None where nothing is read.

        Example: 31,437 against 8,982 -> 3.5
        """
        return self.each_turn.processed / self.seldom.processed if self.seldom.processed else None

    @property
    def cost_ratio(self) -> float | None:
        """The same in money; None where no price is known, or nothing is paid."""
        if self.each_turn.cost is None or not self.seldom.cost:
            return None
        return float(self.each_turn.cost / self.seldom.cost)


def trim_costs(
    history: Sequence[Message],
    sizes: MessageSizes,
    settings: ChatSettings,
    model: Model | None,
    to_turn: int | None = None,
    muted: Collection[int] = (),
    pinned: Collection[int] = (),
) -> TrimCosts:
    """Both strategies over this conversation, and with `to_turn` as if it went on until that turn.

    `sizes` are of this history, by the counter of the model whose prices are asked for; None has no prices.
    Example: trim_costs(history, sizes, settings, find("openai", "gpt-5"), to_turn=100).ratio -> 4.1
    """
    real = sum(map(opens_exchange, history))
    if to_turn is not None and to_turn > real:
        going = continued(history, sizes, to_turn)
        history, sizes = going.history, MessageSizes(going.counter, going.history)
    each, seldom = (
        _course(history, sizes, replace(settings, strategy=name), model, muted, pinned) for name in (EACH_TURN, SELDOM)
    )
    return TrimCosts(each, seldom, min(real, len(each.steps)))


def cuts(course: ContestantRun) -> tuple[int, ...]:
    """The turns at which more was left out than before: where the request's beginning changed.

    Example: nothing left out until turn 9, more each time from then on -> (9, 10, 11, ...)
    """
    return tuple(now.turn for before, now in pairwise(course.steps) if now.left_out > before.left_out)


def _course(
    history: Sequence[Message],
    sizes: MessageSizes,
    settings: ChatSettings,
    model: Model | None,
    muted: Collection[int],
    pinned: Collection[int],
) -> ContestantRun:
    records = replayed(history, sizes, settings, muted, pinned)
    made = steps(records, sizes, settings.window.input_budget, model)
    return ContestantRun(Contestant(settings.strategy, settings), sizes.counter.name, sizes.provenance, made)
