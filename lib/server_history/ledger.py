"""The ledger of one lane: bytes, requests, tokens, cost, times and the retention check, per turn and in total.

Bytes and requests are counted by the HTTP client. Tokens are those the server reports, and unknown if it reports none;
our own count serves the retention check only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from lib.messages import Message, Usage, system, user
from lib.server_history import ServerTurn
from lib.server_history.lane import LaneState
from lib.server_history.lane_turn import LaneTurn
from lib.server_history.retention_check import Verdict, check
from lib.tokens import TokenCounter

PriceOf = Callable[[Usage], Decimal | None]
"""The list price of a usage in USD; None if there is none."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One turn. Tokens and cost (USD) are None if unknown; times are in milliseconds."""

    turn: int
    bytes_up: int
    requests: int
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None
    first_token_ms: float | None
    duration_ms: float
    verdict: Verdict
    replayed: bool = False
    preamble: int = 0
    """Tokens of the system prompt and the template, by our counter."""
    newest: int = 0
    """Tokens of the newest message, by our counter."""
    expected: int = 0
    """Tokens of the whole conversation as this turn's input, by our counter."""


class ExpectedTokens(NamedTuple):
    """Our own token counts: of the preamble, and for each turn of the whole conversation as its input (`whole`) and of
    the preamble with the newest message alone (`newest_only`)."""

    preamble: int
    whole: list[int]
    newest_only: list[int]


def ledger(state: LaneState, counter: TokenCounter, system_prompt: str, price_of: PriceOf) -> list[LedgerRow]:
    """The answered turns of a lane, in order. `counter` is ours, for the retention check. A history that was deleted or
    has expired since is not called held."""
    answered = [(turn, turn.result) for turn in state.turns if turn.result is not None]
    expected = expected_tokens([turn for turn, _ in answered], counter, system_prompt, state.earlier)
    reported = [result.usage.input_tokens for _, result in answered]
    items = [turn.stored_items for turn, _ in answered]
    rows = []
    for index, (_, result) in enumerate(answered):
        upto = index + 1
        known_items = [count for count in items[:upto] if count is not None]
        verdict = check(
            reported[:upto],
            expected.whole[:upto],
            known_items if len(known_items) == upto else None,
            expected.newest_only[:upto],
        )
        verdict = _since(verdict, state.turns, answered[index][0])
        rows.append(_row(upto, result, price_of(result.usage), verdict, expected))
    return rows


def _since(verdict: Verdict, turns: Sequence[LaneTurn], turn: LaneTurn) -> Verdict:
    """The verdict on a turn, or what has happened to the server's history since."""
    later = turns[next(index for index, each in enumerate(turns) if each is turn) + 1 :]
    gone = next((each for each in reversed(later) if each.gone), None)
    if gone is None or not gone.gone:
        return verdict
    happened = gone.drill or f"It was {gone.gone} since."
    return replace(verdict, word=gone.gone, sentence=f"{happened} In this turn: {verdict.sentence}")


def _row(
    number: int, result: ServerTurn, cost: Decimal | None, verdict: Verdict, expected: ExpectedTokens
) -> LedgerRow:
    return LedgerRow(
        turn=number,
        bytes_up=result.bytes_up,
        requests=len(result.wires),
        input_tokens=result.usage.input_tokens,
        cached_tokens=result.usage.cached_tokens,
        output_tokens=result.usage.output_tokens,
        cost=cost,
        first_token_ms=result.first_token_ms,
        duration_ms=result.duration_ms,
        verdict=verdict,
        replayed=result.replayed,
        preamble=expected.preamble,
        newest=expected.newest_only[number - 1] - expected.preamble,
        expected=expected.whole[number - 1],
    )


def expected_tokens(
    answered: Sequence[LaneTurn], counter: TokenCounter, system_prompt: str, earlier: Sequence[Message] = ()
) -> ExpectedTokens:
    """Count what each answered turn should have read. `earlier` are the messages from before the lane began."""
    preamble_messages = [system(system_prompt)] if system_prompt.strip() else []
    preamble = sum(counter.count_many(preamble_messages)) + counter.template(bool(preamble_messages))
    total_so_far = preamble + sum(counter.count_many(earlier))
    whole, newest_only = list[int](), list[int]()
    for turn in answered:
        prompt_tokens = counter.count(user(turn.prompt))
        whole.append(total_so_far + prompt_tokens)
        newest_only.append(preamble + prompt_tokens)
        total_so_far += prompt_tokens + counter.count(Message("assistant", turn.reply))
    return ExpectedTokens(preamble, whole, newest_only)


def total(values: Sequence[int | None]) -> int | None:
    """The sum; None if any value is unknown, or there are none.

    Example: total([3, None]) -> None
    """
    return None if not values or any(value is None for value in values) else sum(value or 0 for value in values)


def total_cost(rows: Sequence[LedgerRow]) -> Decimal | None:
    """USD for all turns; None if any cost is unknown, or there are no turns."""
    known = [row.cost for row in rows if row.cost is not None]
    return sum(known, Decimal(0)) if rows and len(known) == len(rows) else None
