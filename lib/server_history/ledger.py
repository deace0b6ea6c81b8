"""The ledger of a column: per turn and in total, what was uploaded, what was read, what it cost, and whether the history was held.

The rule: bytes and requests are counted on the wire; tokens are the server's own report, and unknown where it made none; only the
held-history check compares them with our count. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lib.messages import Message, Usage, system, user
from lib.server_history.lane import Done, State
from lib.server_history.retention_check import Verdict, check
from lib.tokens import TokenCounter

PriceOf = Callable[[Usage], Decimal | None]


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One turn. Tokens and money are None where not known; times are milliseconds."""

    turn: int
    bytes_up: int
    requests: int
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None
    first_token_ms: float | None
    duration_ms: float | None
    verdict: Verdict
    replayed: bool = False
    lead: int = 0
    """Tokens of the system prompt and the template, by our counter."""
    newest: int = 0
    """Tokens of the newest message, by our counter."""
    expected: int = 0
    """Tokens of the whole transcript as this turn's input, by our counter."""


def ledger(state: State, counter: TokenCounter, system_prompt: str, price_of: PriceOf) -> list[LedgerRow]:
    """The answered turns of a column, in order. `counter` is ours, for the held-history check."""
    answered = [done for done in state.done if done.turn is not None]
    lead, expected, alone = expectations(answered, counter, system_prompt, state.before)
    entries = []
    for place, done in enumerate(answered):
        turn = done.turn
        assert turn is not None
        usage = turn.usage
        known = answered[: place + 1]
        items = [each.stored_items for each in known]
        stored = [count for count in items if count is not None]
        verdict = check(
            [each.turn.usage.input_tokens if each.turn is not None else None for each in known],
            expected[: place + 1],
            stored if len(stored) == len(items) else None,
            alone[: place + 1],
        )
        entries.append(
            LedgerRow(
                place + 1,
                turn.bytes_up,
                len(turn.wires),
                usage.input_tokens,
                usage.cached_tokens,
                usage.output_tokens,
                price_of(usage),
                turn.first_token_ms,
                turn.duration_ms,
                verdict,
                turn.replayed,
                lead,
                alone[place] - lead,
                expected[place],
            )
        )
    return entries


def expectations(
    answered: Sequence[Done], counter: TokenCounter, system_prompt: str, before: Sequence[Message] = ()
) -> tuple[int, list[int], list[int]]:
    """Tokens of what leads every request; and for each turn, of the whole transcript as its input, and of what leads it with
    the newest message alone. By our counter; `before` was there already when the column began."""
    lead = [system(system_prompt)] if system_prompt.strip() else []
    base = sum(counter.count_many(lead)) + counter.template(bool(lead))
    whole, expected, alone = base + sum(counter.count_many(before)), list[int](), list[int]()
    for done in answered:
        assert done.turn is not None
        new = counter.count(user(done.asked))
        expected.append(whole + new)
        alone.append(base + new)
        whole += new + counter.count(Message("assistant", done.turn.reply))
    return base, expected, alone


def total(values: Sequence[int | None]) -> int | None:
    """The sum; None where one is not known, or there is none.

    Example: total([3, None]) -> None
    """
    return None if not values or any(value is None for value in values) else sum(value or 0 for value in values)


def costs(entries: Sequence[LedgerRow]) -> Decimal | None:
    """USD of all turns; None where one is not known."""
    known = [entry.cost for entry in entries]
    return None if not known or None in known else sum((cost for cost in known if cost is not None), Decimal(0))
