"""Computes what trimming at every turn costs compared with trimming in batches: oldest_first beside low_water.

Both get the same messages, window, model and counter. Costs assume a prompt cache that is warm at every turn, and are
None if no price is known. How long the first token takes is measured in lib/lab/latency.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lib.analysis.replay import project
from lib.analysis.requests import MessageSizes, exchanges_of
from lib.chat_settings import ChatSettings
from lib.context import NO_MARKS, Marks
from lib.lab.bakeoff import Contestant, ContestantRun, replay_one, run_of
from lib.messages import Message
from lib.pricing.model import Model

EACH_TURN, IN_BATCHES = "oldest_first", "low_water"
"""The two strategies."""


@dataclass(frozen=True, slots=True)
class TrimCosts:
    """The runs of both strategies; the contestants have their names."""

    each_turn: ContestantRun
    in_batches: ContestantRun
    real_turns: int
    """How many of the turns are stored; later ones are projected at average size."""

    @property
    def ratio(self) -> float | None:
        """How many times as many uncached tokens the model reads with trimming at every turn; None if it reads none.

        Example: 31,437 against 8,982 -> 3.5
        """
        return self.each_turn.processed / self.in_batches.processed if self.in_batches.processed else None


def trim_costs(
    history: Sequence[Message],
    sizes: MessageSizes,
    settings: ChatSettings,
    model: Model | None,
    to_turn: int | None = None,
    marks: Marks = NO_MARKS,
) -> TrimCosts:
    """Both strategies over this conversation; with `to_turn`, as if it went on until that turn.

    `sizes` are of this history. `model` gives the prices; None for no prices.
    Example: trim_costs(history, sizes, settings, find("openai", "gpt-5"), to_turn=100).ratio -> 4.1
    """
    real = len(exchanges_of(history))
    if to_turn is not None and to_turn > real:
        projection = project(history, sizes, to_turn)
        history, sizes = projection.history, MessageSizes(projection.counter, projection.history)
    contestants = [Contestant(name, replace(settings, strategy=name)) for name in (EACH_TURN, IN_BATCHES)]
    each_turn, in_batches = (run_of(replay_one(history, contestant, sizes, marks), model) for contestant in contestants)
    return TrimCosts(each_turn, in_batches, min(real, len(each_turn.steps)))


def cache_breaks(run: ContestantRun) -> tuple[int, ...]:
    """The turns that drop more than the turn before: their requests begin differently, so the cache does not help.

    Example: nothing dropped until turn 9, more each time from then on -> (9, 10, 11, ...)
    """
    return tuple(now.turn for before, now in pairwise(run.steps) if now.left_out > before.left_out)
