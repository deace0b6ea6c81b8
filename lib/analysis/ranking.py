"""Compares chats that were asked the same: what each read, wrote, cost and took, and which is best by one measure.

Only the answers that every chat has given are compared. What one of them did not report is None, never 0, and such a
chat comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lib.analysis.bills import FindModel, sum_or_none
from lib.pricing.costs import total_cost
from lib.tokens import Provenance
from lib.turns import Turn

CLOSE = 0.05
"""Times that differ by less than this part of the larger one count as equal: they differ as much from run to run."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one chat did over its compared answers. Tokens are the provider's own numbers; None is not reported.

    For an answer that ended early, and so without a report, `read` has the tokens that were counted before sending.
    `first_word_ms` is the mean time from sending to the first piece of the reply, `total_ms` the sum of whole answers,
    and `tokens_per_second` the speed between the two. `cost` is in USD with what was paid for summaries. `not_sent` is
    how many stored messages the last request did not hold.
    """

    name: str
    answers: int
    read: int | None = None
    wrote: int | None = None
    cached: int | None = None
    first_word_ms: float | None = None
    tokens_per_second: float | None = None
    total_ms: float | None = None
    cost: Decimal | None = None
    not_sent: int = 0
    stopped: int = 0
    """Answers that ended early, because a person stopped them or they reached their longest length."""
    provenances: tuple[Provenance, ...] = ()
    """Who counted the tokens, each once."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that chats are ranked by. `value` is None where it is not known."""

    name: str
    value: Callable[[Result], float | Decimal | None]
    most_wins: bool = False
    timed: bool = False


READ, FIRST_WORD, SPEED, TOTAL_TIME, COST = "read", "first_word", "speed", "total_time", "cost"
MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(READ, lambda result: result.read),
        Measure(FIRST_WORD, lambda result: result.first_word_ms, timed=True),
        Measure(SPEED, lambda result: result.tokens_per_second, most_wins=True, timed=True),
        Measure(TOTAL_TIME, lambda result: result.total_ms, timed=True),
        Measure(COST, lambda result: result.cost),
    )
}


@dataclass(frozen=True, slots=True)
class Ranking:
    """Results in order, the best first. `winners` is how many of them share the first place; 0 if nothing is known."""

    measure: Measure
    results: tuple[Result, ...]
    winners: int

    @property
    def unknown(self) -> tuple[Result, ...]:
        """Those that cannot be ranked, because their number was not reported."""
        return tuple(result for result in self.results if self.measure.value(result) is None)


def results_of(chats: Sequence[tuple[str, Sequence[Turn]]], find: FindModel) -> list[Result]:
    """What each named chat did over the answers that all of them have. Chats without an answer are not in it.

    Example: one chat with three answers and one with two -> two results over the first two answers of each
    """
    begun = [(name, turns) for name, turns in chats if turns]
    compared = min((len(turns) for _, turns in begun), default=0)
    return [result_of(name, turns[:compared], find) for name, turns in begun]


def result_of(name: str, turns: Sequence[Turn], find: FindModel) -> Result:
    """What one chat did in these turns."""
    first_words = _all_known(turn.first_token_ms for turn in turns)
    durations = _all_known(turn.duration_ms for turn in turns)
    last = turns[-1].plan if turns else None
    return Result(
        name,
        len(turns),
        read=_sum(read_tokens(turn)[0] for turn in turns),
        wrote=_sum(turn.usage.output_tokens for turn in turns),
        cached=_sum(turn.usage.cached_tokens for turn in turns),
        first_word_ms=sum(first_words) / len(first_words) if first_words else None,
        tokens_per_second=tokens_per_second(turns),
        total_ms=sum(durations) if durations else None,
        cost=cost_of(turns, find),
        not_sent=last.left_out if last is not None else 0,
        stopped=sum(turn.status == "stopped" or turn.stop_reason == "length" for turn in turns),
        provenances=tuple(dict.fromkeys(read_tokens(turn)[1] for turn in turns)),
    )


def read_tokens(turn: Turn) -> tuple[int | None, Provenance]:
    """The tokens that a turn's request had, and who counted them: the provider, else the plan."""
    if turn.usage.input_tokens is None and turn.plan is not None:
        return turn.plan.input_tokens, turn.plan.provenance
    return turn.usage.input_tokens, turn.usage_provenance


def tokens_per_second(turns: Sequence[Turn]) -> float | None:
    """How fast these replies came, from their first piece to their end; None if no turn has all that takes.

    The first token is not counted, because it came before that time begins.
    """
    tokens, milliseconds = 0, 0.0
    for turn in turns:
        wrote = turn.usage.output_tokens
        if wrote is not None and turn.first_token_ms is not None and turn.duration_ms is not None:
            tokens += max(0, wrote - 1)
            milliseconds += turn.duration_ms - turn.first_token_ms
    return 1000 * tokens / milliseconds if tokens and milliseconds > 0 else None


def cost_of(turns: Sequence[Turn], find: FindModel) -> Decimal | None:
    """What these turns cost in USD with their summaries; None if one price or number of tokens is not known."""
    costs: list[Decimal | None] = []
    for turn in turns:
        day = turn.started_at or None
        model = find(turn.provider, str(turn.request.get("model", turn.model)))
        costs.append(total_cost(model, turn.usage, day))
        if turn.summarized is not None:
            made = turn.summarized
            costs.append(total_cost(find(made.provider, made.model), made.usage, day))
    return sum_or_none(costs)


def rank(results: Sequence[Result], measure: Measure) -> Ranking:
    """Put results in order by a measure. Equal ones keep their order."""
    known = [result for result in results if measure.value(result) is not None]
    known.sort(key=lambda result: _value(measure, result), reverse=measure.most_wins)
    winners = sum(is_level(measure, known[0], result) for result in known)
    unknown = [result for result in results if measure.value(result) is None]
    return Ranking(measure, (*known, *unknown), winners)


def is_level(measure: Measure, one: Result, other: Result) -> bool:
    """Whether two results are too close to call by this measure. Both must be known."""
    a, b = _value(measure, one), _value(measure, other)
    return abs(a - b) <= CLOSE * max(a, b) if measure.timed else a == b


def _value(measure: Measure, result: Result) -> float:
    value = measure.value(result)
    assert value is not None
    return float(value)


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = _all_known(numbers)
    return None if known is None else int(sum(known))


def _all_known(numbers: Iterable[float | None]) -> list[float] | None:
    """The numbers, or None if there are none or one of them is not known."""
    found = list(numbers)
    known = [number for number in found if number is not None]
    return known if found and len(known) == len(found) else None
