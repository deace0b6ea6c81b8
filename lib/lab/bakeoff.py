"""The bake-off: one stored conversation under several settings, turn by turn, with no model call.

The rule: every entry is asked the same messages in the same order and decides with the chat's own `plan_context`; tokens are
by the counter of the entry's model, and money is those tokens at list price. A request that does not fit is counted as if it
had been sent all the same, and says so. A cost that is not known is None, never 0.
It leaves out what a model would have answered (lib/lab/recall/plan.py asks), and summaries, since no model writes one here:
`summarize` leaves out the oldest without.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from lib.analysis.bills import Finder, cache_minimum, usages
from lib.analysis.replay import replayed, reused
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.chat_settings import ChatSettings
from lib.messages import Message
from lib.pricing.costs import cost
from lib.pricing.model import Model
from lib.tokens import Provenance

FEWEST, MOST = 2, 6
"""How many entries a bake-off has."""

SizesFor = Callable[[ChatSettings], MessageSizes]
"""The sizes of the history by the counter of these settings' model."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One contestant: settings, and the name a person knows them by."""

    name: str
    settings: ChatSettings


@dataclass(frozen=True, slots=True)
class TurnResult:
    """One turn of one entry. Sizes are tokens."""

    turn: int
    """From 1."""
    at: int
    """Stored index of the message that was asked."""
    sent: int
    """The whole request."""
    reusable: int
    """Its beginning that is the same as the beginning of the request before."""
    cached: int
    """What the provider's prompt cache would give back of that: nothing below the vendor's shortest prefix."""
    reply: int
    """The stored reply, tool calls and results included."""
    left_out: int
    """Stored messages, asked before this one, that are not sent."""
    fits: bool
    """Whether the request is within the entry's input budget."""
    facts: tuple[bool | None, ...]
    """For each marked fact, whether its message is in the request; None before it was said."""
    cost: Decimal | None
    """USD, replies and cache included; None where no price is known."""

    @property
    def processed(self) -> int:
        """What the model has to read anew."""
        return self.sent - self.cached


@dataclass(frozen=True, slots=True)
class ContestantRun:
    """All turns of one entry, and who counted them."""

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
        """Tokens of all requests that are read anew."""
        return self.sent - self.cached

    @property
    def reply(self) -> int:
        """Tokens of all replies."""
        return sum(step.reply for step in self.steps)

    @property
    def cost(self) -> Decimal | None:
        """USD of all turns; None where one of them is not known."""
        return total(step.cost for step in self.steps)

    @property
    def unfit(self) -> int:
        """How many requests do not fit; each would have been a question to the person."""
        return sum(not step.fits for step in self.steps)

    @property
    def most_left_out(self) -> int:
        """Messages left out of the request that left out most."""
        return max((step.left_out for step in self.steps), default=0)

    def kept(self, fact: int) -> tuple[int, int]:
        """In how many requests a fact (its place among the marked ones) was, of how many since it was said.

        Example: said at turn 2 of 10, left out from turn 8 on -> (6, 9)
        """
        held = [step.facts[fact] for step in self.steps if step.facts[fact] is not None]
        return sum(map(bool, held)), len(held)

    def lost_at(self, fact: int) -> int | None:
        """The turn from which on a fact is in no request any more; None where the last one holds it, or it was never said."""
        lost = None
        for step in reversed(self.steps):
            if step.facts[fact] is not False:
                break
            lost = step.turn
        return lost


@dataclass(frozen=True, slots=True)
class BakeOff:
    """Courses beside each other, in the order of the entries. `facts` are stored indexes."""

    facts: tuple[int, ...]
    courses: tuple[ContestantRun, ...]


def bake_off(
    history: Sequence[Message],
    entries: Sequence[Contestant],
    sizes_for: SizesFor,
    find: Finder,
    facts: Sequence[int] = (),
    muted: Collection[int] = (),
    pinned: Collection[int] = (),
) -> BakeOff:
    """Replay the conversation under each entry. Raises ValueError for fewer than 2 or more than 6 entries, or two of one name.

    `facts` are stored indexes to look out for; `muted` and `pinned` (stored indexes of user messages) hold for every entry.
    Example: bake_off(history, [Contestant("now", settings), Contestant("all", replace(settings, strategy="none"))], sizes_for, find)
    """
    if not FEWEST <= len(entries) <= MOST:
        raise ValueError(f"a bake-off has {FEWEST} to {MOST} entries, not {len(entries)}")
    if len({entry.name for entry in entries}) < len(entries):
        raise ValueError("two entries have the same name")
    marked = tuple(facts)
    return BakeOff(
        marked,
        tuple(course(history, entry, sizes_for(entry.settings), find, marked, muted, pinned) for entry in entries),
    )


def course(
    history: Sequence[Message],
    entry: Contestant,
    sizes: MessageSizes,
    find: Finder,
    facts: Sequence[int] = (),
    muted: Collection[int] = (),
    pinned: Collection[int] = (),
) -> ContestantRun:
    """One entry alone, by these sizes."""
    model = find(entry.settings.provider, entry.settings.model)
    records = replayed(history, sizes, entry.settings, muted, pinned)
    made = steps(records, sizes, entry.settings.window.input_budget, model, facts)
    return ContestantRun(entry, sizes.counter.name, sizes.provenance, made)


def steps(
    records: Sequence[RequestRecord], sizes: MessageSizes, budget: int, model: Model | None, facts: Sequence[int] = ()
) -> tuple[TurnResult, ...]:
    """What each request means in tokens and, at this model's prices, in USD. `budget` is the input budget in tokens.

    A model that is not in the catalogue has no price, and its cache is taken to keep a prefix of any length, as servers on
    one's own machine do.
    """
    read = usages(records, sizes, 0 if model is None else cache_minimum(model))
    made = []
    for turn, ((before, now), usage) in enumerate(zip(pairwise([None, *records]), read, strict=True), start=1):
        assert now is not None
        sent, price = usage.input_tokens or 0, None if model is None else cost(model, usage)
        made.append(
            TurnResult(
                turn,
                now.at,
                sent,
                0 if before is None else min(sent, reused(before, now, sizes)),
                usage.cached_tokens or 0,
                usage.output_tokens or 0,
                _left_out(now),
                sent <= budget,
                tuple(None if fact > now.at else _holds(now, fact) for fact in facts),
                None if price is None else price.total,
            )
        )
    return tuple(made)


def total(costs: Iterable[Decimal | None]) -> Decimal | None:
    """The sum in USD; None where one of them is not known.

    Example: total([Decimal("0.1"), None]) -> None
    """
    known = list(costs)
    return None if None in known else sum((part for part in known if part is not None), Decimal(0))


def _left_out(record: RequestRecord) -> int:
    return sum(stop - start for start, stop, included, _ in record.runs if not included)


def _holds(record: RequestRecord, index: int) -> bool:
    return any(included and start <= index < stop for start, stop, included, _ in record.runs)
