"""The ledger: what every approach uploaded, read, cost and took, per turn and in total, with two charts.

Tokens are those the server reports, "not reported" if it reports none. Bytes are counted by our HTTP client, polls
included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lib.server_history import Approach
from lib.server_history.comparison import Comparison
from lib.server_history.ledger import LedgerRow, ledger, total, total_cost
from lib.ui.components import charts, tables
from lib.ui.format import numbers
from lib.ui.threads import places, reference

if TYPE_CHECKING:
    import pandas as pd

Ledgers = Mapping[Approach, Sequence[LedgerRow]]
WHOLE_NUMBERS = ("input tokens", "of them cached", "output tokens", "first token in ms (median)", "first token in ms")


def draw(comparison: Comparison, approaches: Sequence[Approach]) -> None:
    """A sentence, two charts, the totals, and every turn; nothing if no turn was answered yet."""
    ledgers = _ledgers(comparison, approaches)
    if not ledgers:
        return
    provenance = places.provenance(comparison.place)
    st.subheader("The ledger", anchor=False)
    st.markdown(takeaway(ledgers))
    left, right = st.columns(2)
    with left:
        _chart(ledgers, "bytes_up", "bytes uploaded per turn", "threads_bytes")
    with right:
        _chart(ledgers, "input_tokens", f"input tokens per turn ({provenance})", "threads_tokens")
    tables.show(
        totals(ledgers),
        "threads-totals",
        f"Totals of every way: bytes uploaded, requests, tokens ({provenance}), cost in USD, times in ms",
    )
    on_replica = comparison.place == places.REPLICA
    reporter = "the replica on this machine reports them, not OpenAI" if on_replica else "the server reports them"
    st.caption(
        f"Tokens are as {reporter} ({provenance}). Bytes are the bodies of all requests, polls included, without"
        " headers."
    )
    tables.draw(
        reference.facts_side_by_side(list(ledgers)),
        "threads-facts",
        "Where each history lives, for how long, who trims, deleting, overflow",
        title="Where it lives, who trims, and how it is deleted",
    )
    tables.draw(
        turns(ledgers), "threads-turns", f"Every turn of every way; tokens are {provenance}", title="Every turn"
    )


def _ledgers(comparison: Comparison, approaches: Sequence[Approach]) -> Ledgers:
    """The ledger of every approach with an answered turn."""
    counter, price_of = places.counter(comparison.place), places.price_of(comparison.place)
    ledgers = {
        lane.approach: ledger(lane, counter, comparison.system_prompt, price_of)
        for lane in comparison.states(approaches)
    }
    return {approach: rows for approach, rows in ledgers.items() if rows}


def takeaway(ledgers: Ledgers) -> str:
    """The ledger in a few sentences, over the turns that every approach has answered.

    Example: "**After 6 turns: uploaded “Sent again every turn” 3,823 B, “Conversations” 1,997 B.** Tokens read, ..."
    """
    turn_count = min(map(len, ledgers.values()))
    common = {approach: rows[:turn_count] for approach, rows in ledgers.items()}
    uploaded = ", ".join(
        f"“{places.NAMES[approach]}” {sum(row.bytes_up for row in rows):,} B" for approach, rows in common.items()
    )
    read = [total([row.input_tokens for row in rows]) for rows in common.values()]
    tokens = ", ".join(f"{count:,}" if count is not None else numbers.NOT_REPORTED for count in read)
    sentences = [
        f"**After {numbers.plural(turn_count, 'turn')}: uploaded {uploaded}.**",
        f"Tokens read, in the same order: {tokens}.",
    ]
    if len({count for count in read if count is not None}) > 1:
        sentences.append("They differ only because the replies do: in each column the model writes its own.")
    if len(ledgers) > 1 and turn_count > 2:
        sentences.append(
            "**A server that keeps the history saves upload, not tokens:** the model reads all of it every turn, no"
            " matter who sends it."
        )
    return " ".join(sentences)


def _chart(ledgers: Ledgers, field: str, axis: str, key: str) -> None:
    st.plotly_chart(
        charts.growth_lines(per_turn(ledgers, field), field, axis, 0, usd=False),
        key=key,
        config=tables.CHART,
        alt=f"Lines, one per way: {axis}",
    )


def per_turn(ledgers: Ledgers, field: str) -> pd.DataFrame:
    """One row per approach and turn with one field of the ledger; turns without a report are missing."""
    import pandas as pd

    rows = [
        (places.NAMES[approach], row.turn, getattr(row, field))
        for approach, ledger_rows in ledgers.items()
        for row in ledger_rows
        if getattr(row, field) is not None
    ]
    return pd.DataFrame(rows, columns=["strategy", "turn", field])


def totals(ledgers: Ledgers) -> pd.DataFrame:
    """One row per approach."""
    records = []
    for approach, rows in ledgers.items():
        usd = total_cost(rows)
        records.append(
            {
                "way": places.NAMES[approach],
                "turns": len(rows),
                **_sums(rows),
                "cost in USD": None if usd is None else float(usd),
                "first token in ms (median)": _median_first_token_ms(rows),
                "time in ms": round(sum(row.duration_ms for row in rows)),
                "history": rows[-1].verdict.word,
            }
        )
    return _frame(records)


def turns(ledgers: Ledgers) -> pd.DataFrame:
    """One row per approach and turn."""
    return _frame(
        [
            {
                "way": places.NAMES[approach],
                "turn": row.turn,
                **_sums([row]),
                "first token in ms": _median_first_token_ms([row]),
                "time in ms": round(row.duration_ms),
                "history": row.verdict.word,
                "why": row.verdict.sentence,
            }
            for approach, rows in ledgers.items()
            for row in rows
        ]
    )


def _sums(rows: Sequence[LedgerRow]) -> dict[str, int | None]:
    """Bytes, requests and tokens of these turns; tokens are None if any turn did not report them."""
    return {
        "bytes uploaded": sum(row.bytes_up for row in rows),
        "requests": sum(row.requests for row in rows),
        "input tokens": total([row.input_tokens for row in rows]),
        "of them cached": total([row.cached_tokens for row in rows]),
        "output tokens": total([row.output_tokens for row in rows]),
    }


def _median_first_token_ms(rows: Sequence[LedgerRow]) -> int | None:
    times = sorted(row.first_token_ms for row in rows if row.first_token_ms is not None)
    return round(times[len(times) // 2]) if times else None


def _frame(records: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(records)
    return frame.astype({name: "Int64" for name in WHOLE_NUMBERS if name in frame.columns})
