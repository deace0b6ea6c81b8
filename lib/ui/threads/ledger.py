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
from lib.server_history.findings import Ledgers, finding
from lib.server_history.lane import LaneState
from lib.server_history.ledger import LedgerRow, ledger, total, total_cost
from lib.ui.components import charts, tables
from lib.ui.threads import places, reference

if TYPE_CHECKING:
    import pandas as pd

WHOLE_NUMBERS = ("input tokens", "of them cached", "output tokens", "first token in ms (median)")
BYTES = "Bytes are the bodies of all requests, polls included, without headers."
ON_REPLICA = (
    f"Tokens are as the replica on this machine reports them, not OpenAI (counted). {BYTES} Times are not compared: the"
    " model is asked once, and columns with the same conversation get the same reply."
)
ELSEWHERE = f"Tokens are as the server reports them (billed). {BYTES}"


def draw(comparison: Comparison, approaches: Sequence[Approach]) -> None:
    """A sentence, two charts, the totals, and every turn; nothing if no turn was answered yet."""
    states = places.seen(comparison, approaches)
    ledgers = _ledgers(comparison, states)
    if not ledgers:
        return
    provenance = places.provenance(comparison.place)
    on_replica = comparison.place == places.REPLICA
    st.subheader("The ledger", anchor=False)
    charts_of(states, ledgers, provenance, "threads")
    tables.show(
        totals(ledgers, timed=not on_replica),
        "threads-totals",
        f"Totals of every way: bytes uploaded, requests, tokens ({provenance}), cost in USD",
    )
    st.caption(ON_REPLICA if on_replica else ELSEWHERE)
    tables.draw(
        reference.facts_side_by_side(list(ledgers)),
        "threads-facts",
        "Where each history lives, for how long, who trims, deleting, overflow",
        title="Where it lives, who trims, and how it is deleted",
    )
    tables.draw(
        turns(ledgers, timed=not on_replica),
        "threads-turns",
        f"Every turn of every way; tokens are {provenance}",
        title="Every turn",
    )


def charts_of(states: Sequence[LaneState], ledgers: Ledgers, provenance: str, key: str) -> None:
    """What the ledgers show in sentences, and the two charts that show it: upload and tokens per turn."""
    found = finding(states, ledgers, places.NAMES)
    st.markdown(f"**{found.headline}** {' '.join(found.details)}")
    left, right = st.columns(2)
    with left:
        _chart(ledgers, "bytes_up", "bytes uploaded per turn", f"{key}_bytes")
    with right:
        _chart(ledgers, "input_tokens", f"input tokens per turn ({provenance})", f"{key}_tokens")


def _ledgers(comparison: Comparison, states: Sequence[LaneState]) -> Ledgers:
    """The ledger of every approach with an answered turn."""
    if not any(turn.result is not None for state in states for turn in state.turns):
        return {}
    counter, price_of = places.counter(comparison.place), places.price_of(comparison.place)
    ledgers = {lane.approach: ledger(lane, counter, comparison.system_prompt, price_of) for lane in states}
    return {approach: rows for approach, rows in ledgers.items() if rows}


def _chart(ledgers: Ledgers, field: str, axis: str, key: str) -> None:
    figure = charts.growth_lines(per_turn(ledgers, field), field, axis, 0, usd=False)
    figure.update_layout(showlegend=True)  # also of one line, which may stand for several
    st.plotly_chart(figure, key=key, config=tables.CHART, alt=f"Lines, one per way: {axis}")


def per_turn(ledgers: Ledgers, field: str) -> pd.DataFrame:
    """One row per approach and turn with one field of the ledger; turns without a report are missing.

    Lines that would cover each other are one line with one name.
    """
    import pandas as pd

    lines = {tuple(getattr(row, field) for row in rows) for rows in ledgers.values()}
    if len(ledgers) > 1 and len(lines) == 1:
        name, one = f"the same in all {len(ledgers)}", next(iter(lines))
        shared = [(name, turn, value) for turn, value in enumerate(one, start=1) if value is not None]
        return pd.DataFrame(shared, columns=["strategy", "turn", field])
    rows = [
        (places.NAMES[approach], row.turn, getattr(row, field))
        for approach, ledger_rows in ledgers.items()
        for row in ledger_rows
        if getattr(row, field) is not None
    ]
    return pd.DataFrame(rows, columns=["strategy", "turn", field])


def totals(ledgers: Ledgers, *, timed: bool) -> pd.DataFrame:
    """One row per approach. `timed` says whether times, caches and costs can be compared."""
    records = []
    for approach, rows in ledgers.items():
        usd = total_cost(rows)
        records.append(
            {
                "way": places.NAMES[approach],
                "turns": len(rows),
                **_sums(rows, cached=timed),
                **({"cost in USD": None if usd is None else float(usd)} if timed else {}),
                **_times(rows, timed=timed),
                "history": rows[-1].verdict.word,
            }
        )
    return _frame(records)


def turns(ledgers: Ledgers, *, timed: bool) -> pd.DataFrame:
    """One row per approach and turn. `timed` says whether times and caches can be compared."""
    return _frame(
        [
            {
                "way": places.NAMES[approach],
                "turn": row.turn,
                **_sums([row], cached=timed),
                **_times([row], timed=timed),
                "history": row.verdict.word,
                "why": row.verdict.sentence,
            }
            for approach, rows in ledgers.items()
            for row in rows
        ]
    )


def _times(rows: Sequence[LedgerRow], *, timed: bool) -> dict[str, int | None]:
    """The median time to the first token and the time of all, in milliseconds; nothing where they mean nothing."""
    if not timed:
        return {}
    times = sorted(row.first_token_ms for row in rows if row.first_token_ms is not None)
    return {
        "first token in ms (median)": round(times[len(times) // 2]) if times else None,
        "time in ms": round(sum(row.duration_ms for row in rows)),
    }


def _sums(rows: Sequence[LedgerRow], *, cached: bool) -> dict[str, int | None]:
    """Bytes, requests and tokens of these turns; tokens are None if any turn did not report them."""
    from_cache = {"of them cached": total([row.cached_tokens for row in rows])} if cached else {}
    return {
        "bytes uploaded": sum(row.bytes_up for row in rows),
        "requests": sum(row.requests for row in rows),
        "input tokens": total([row.input_tokens for row in rows]),
        **from_cache,
        "output tokens": total([row.output_tokens for row in rows]),
    }


def _frame(records: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(records)
    return frame.astype({name: "Int64" for name in WHOLE_NUMBERS if name in frame.columns})
