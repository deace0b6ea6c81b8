"""The bake-off: compares one stored conversation under several settings, turn by turn, without a model.

All contestants get the same messages in the same order. Tokens are by the counter of the contestant's model, and money
is those tokens at list price; an unknown cost is None, never 0. A request that does not fit is counted as if it had
been sent and is marked. No model writes summaries here, so `summarize` drops the oldest messages without one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lib.analysis.bills import FindModel, cache_minimum, counted_usages, sum_or_none
from lib.analysis.replay import replay, reusable_tokens
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.analysis.runs import range_at
from lib.chat_settings import ChatSettings
from lib.context import NO_MARKS, Marks
from lib.messages import Message
from lib.pricing.costs import cost
from lib.pricing.model import Model
from lib.tokens import Provenance

FEWEST, MOST = 2, 6
"""How many contestants a bake-off has."""

SizesFor = Callable[[ChatSettings], MessageSizes]
"""Gives the sizes of the history by the counter of these settings' model."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Settings to compare, and the name that pages show for them."""

    name: str
    settings: ChatSettings


@dataclass(frozen=True, slots=True)
class TurnResult:
    """One turn of one contestant. Sizes are tokens."""

    turn: int
    """From 1."""
    at: int
    """Stored index of the request's newest message."""
    sent: int
    """The whole request."""
    reusable: int
    """The beginning that it shares with the request before."""
    cached: int
    """What the provider's prompt cache would return of that: nothing below the vendor's shortest prefix."""
    reply: int
    """The stored reply with its tool calls and results."""
    left_out: int
    """Earlier stored messages that are not sent."""
    fits: bool
    """Whether the request is within the contestant's input budget."""
    facts: tuple[bool | None, ...]
    """For each followed fact, whether its message is in the request; None before it was said."""
    cost: Decimal | None
    """USD, replies and cache included; None if no price is known."""

    @property
    def processed(self) -> int:
        """Tokens that the model reads uncached."""
        return self.sent - self.cached


@dataclass(frozen=True, slots=True)
class ContestantRun:
    """All turns of one contestant, and who counted them."""

    entry: Contestant
    counter: str
    provenance: Provenance
    steps: tuple[TurnResult, ...]

    @property
    def sent(self) -> int:
        """Tokens of all requests."""
        return sum(step.sent for step in self.steps)

    @property
    def cached(self) -> int:
        """Tokens of all requests that come from the cache."""
        return sum(step.cached for step in self.steps)

    @property
    def processed(self) -> int:
        """Tokens of all requests that are read uncached."""
        return self.sent - self.cached

    @property
    def reply(self) -> int:
        """Tokens of all replies."""
        return sum(step.reply for step in self.steps)

    @property
    def cost(self) -> Decimal | None:
        """USD of all turns; None if one of them is not known."""
        return sum_or_none(step.cost for step in self.steps)

    @property
    def unfit(self) -> int:
        """How many requests do not fit the window. The chat would have asked the person before each."""
        return sum(not step.fits for step in self.steps)

    @property
    def most_left_out(self) -> int:
        """The most earlier messages that one request does not send."""
        return max((step.left_out for step in self.steps), default=0)

    def kept(self, fact: int) -> tuple[int, int]:
        """How many requests hold a fact, and how many there are since it was said. `fact` is its place in
        `BakeOff.facts`.

        Example: said at turn 2 of 10, dropped from turn 8 on -> (6, 9)
        """
        since = [step.facts[fact] for step in self.steps if step.facts[fact] is not None]
        return sum(map(bool, since)), len(since)

    def lost_at(self, fact: int) -> int | None:
        """The first turn from which no request holds a fact; None if the last one holds it or it was never said."""
        lost = None
        for step in reversed(self.steps):
            if step.facts[fact] is not False:
                break
            lost = step.turn
        return lost


@dataclass(frozen=True, slots=True)
class BakeOff:
    """The runs of all contestants, in their order. `facts` are the stored indexes of the messages to follow."""

    facts: tuple[int, ...]
    courses: tuple[ContestantRun, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """Every request of the conversation under one contestant's settings, and the sizes that planned them."""

    contestant: Contestant
    sizes: MessageSizes
    requests: tuple[RequestRecord, ...]


def replay_all(
    history: Sequence[Message], contestants: Sequence[Contestant], sizes_for: SizesFor, marks: Marks = NO_MARKS
) -> list[Replay]:
    """Replay the conversation for each contestant. This plans every request, so it is the slow part of a bake-off.

    The pins and mutes of `marks` hold for every contestant. Raises ValueError for fewer than 2 or more than 6
    contestants, or for two of the same name.
    Example: replay_all(history, [Contestant("now", settings), Contestant("all", everything)], sizes_for)
    """
    if not FEWEST <= len(contestants) <= MOST:
        raise ValueError(f"a bake-off has {FEWEST} to {MOST} contestants, not {len(contestants)}")
    if len({contestant.name for contestant in contestants}) < len(contestants):
        raise ValueError("two contestants have the same name")
    return [replay_one(history, each, sizes_for(each.settings), marks) for each in contestants]


def replay_one(
    history: Sequence[Message], contestant: Contestant, sizes: MessageSizes, marks: Marks = NO_MARKS
) -> Replay:
    """Replay the conversation for one contestant, with these sizes of the history."""
    return Replay(contestant, sizes, tuple(replay(history, sizes, contestant.settings, marks)))


def bake_off(replays: Sequence[Replay], find: FindModel, facts: Sequence[int] = ()) -> BakeOff:
    """Measure replays of one conversation. `facts` are stored indexes of messages to follow.

    Example: bake_off(replay_all(history, contestants, sizes_for), catalogue.find, facts=[0])
    """
    models = [find(each.contestant.settings.provider, each.contestant.settings.model) for each in replays]
    return BakeOff(tuple(facts), tuple(run_of(each, model, facts) for each, model in zip(replays, models, strict=True)))


def run_of(replayed: Replay, model: Model | None, facts: Sequence[int] = ()) -> ContestantRun:
    """Measure one replay in tokens and, at this model's list prices, in USD.

    A model that is not in the catalogue has no price. Its cache is assumed to keep prefixes of any length, as local
    servers do.
    """
    contestant, sizes, budget = replayed.contestant, replayed.sizes, replayed.contestant.settings.window.input_budget
    usages = counted_usages(replayed.requests, sizes, 0 if model is None else cache_minimum(model))
    turns = []
    for turn, (before, now, usage) in enumerate(
        zip([None, *replayed.requests], replayed.requests, usages, strict=False), start=1
    ):
        sent, price = usage.input_tokens or 0, None if model is None else cost(model, usage)
        turns.append(
            TurnResult(
                turn,
                now.at,
                sent,
                0 if before is None else min(sent, reusable_tokens(before, now, sizes)),
                usage.cached_tokens or 0,
                usage.output_tokens or 0,
                _left_out(now),
                sent <= budget,
                tuple(None if fact > now.at else _holds(now, fact) for fact in facts),
                None if price is None else price.total,
            )
        )
    return ContestantRun(contestant, sizes.counter.name, sizes.provenance, tuple(turns))


def _left_out(record: RequestRecord) -> int:
    return sum(stop - start for start, stop, included, _ in record.runs if not included)


def _holds(record: RequestRecord, index: int) -> bool:
    run = range_at(record.runs, index)
    return run is not None and run[2]
