"""The ledger: what every way uploaded, read, cost and took, per turn and in total, and the two charts that settle it.

The rule: tokens are as the server reported them, and "not reported" where it did not; bytes are counted on the wire, polls too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import streamlit as st

from lib.messages import Usage
from lib.pricing.costs import cost
from lib.server_history import Approach
from lib.server_history.comparison import Comparison
from lib.server_history.ledger import LedgerRow, PriceOf, costs, ledger, total
from lib.ui.components import charts, tables
from lib.ui.format import numbers
from lib.ui.shell import services
from lib.ui.shell.page import Page
from lib.ui.threads import columns, places, reference

if TYPE_CHECKING:
    import pandas as pd


def draw(page: Page, side: Comparison, approaches: Sequence[Approach]) -> None:
    """The sentence, the two charts, the totals, every turn."""
    counter = columns.counter_of(side)
    states = side.states(approaches)
    books = {state.approach: ledger(state, counter, side.system_prompt, price_of(side)) for state in states}
    books = {approach: entries for approach, entries in books.items() if entries}
    if not books:
        return
    st.subheader("The ledger", anchor=False)
    st.markdown(takeaway(books))
    who = "counted" if side.where == places.REPLICA else "billed"
    left, right = st.columns(2)
    with left:
        _chart(books, "bytes_up", "bytes uploaded per turn", "threads_bytes")
    with right:
        _chart(books, "input_tokens", f"input tokens per turn ({who})", "threads_tokens")
    frame = totals(books)
    tables.show(
        frame,
        "threads-totals",
        f"Totals of every way: bytes uploaded, requests, tokens ({who}), cost in USD, times in ms",
    )
    st.caption(
        "Tokens are as"
        f" {'the replica on this machine reports them, not OpenAI' if side.where == places.REPLICA else 'the server reports them'}"
        f" ({who}). Bytes are the bodies of all requests, polls included, without headers."
    )
    tables.draw(
        reference.beside(list(books)),
        "threads-facts",
        "Where each history lives, for how long, who leaves out, deleting, overflow",
        title="Where it lives, who leaves out, and how it is deleted",
    )
    tables.draw(turns(books), "threads-turns", f"Every turn of every way; tokens are {who}", title="Every turn")


def price_of(side: Comparison) -> PriceOf:
    """The list price of a usage at this place; None where there is none."""
    model = None
    if side.where != places.REPLICA:
        endpoint = services.endpoint(side.where)
        model = services.find_model(endpoint.name, endpoint.model)

    def price(usage: Usage) -> Decimal | None:
        found = None if model is None else cost(model, usage)
        return Decimal(0) if side.where == places.REPLICA else None if found is None else found.total

    return price


def takeaway(books: Mapping[Approach, Sequence[LedgerRow]]) -> str:
    """Example: "**After 6 turns, “Sent again every turn” uploaded 3,823 B, “Conversations” 1,997 B: and both read 840 tokens.** …" """
    turns_done = min(map(len, books.values()))
    same = {approach: entries[:turns_done] for approach, entries in books.items()}
    up = {approach: sum(entry.bytes_up for entry in entries) for approach, entries in same.items()}
    read = {approach: total([entry.input_tokens for entry in entries]) for approach, entries in same.items()}
    uploaded = ", ".join(f"“{places.NAMES[approach]}” {count:,} B" for approach, count in up.items())
    said = f"**After {numbers.plural(turns_done, 'turn')}: uploaded {uploaded}.**"
    tokens = ", ".join(f"{count:,}" if count is not None else numbers.NOT_REPORTED for count in read.values())
    same_words = len({count for count in read.values() if count is not None}) < 2
    why = "" if same_words else " They differ only as far as the replies do, which are the model's own in each column."
    said += f" Tokens read, in the same order: {tokens}.{why}"
    if len(books) > 1 and turns_done > 2:
        said += (
            " **A server that keeps the history saves upload, not tokens:** the model reads all of it every turn,"
            " whoever sends it."
        )
    return said


def _chart(books: Mapping[Approach, Sequence[LedgerRow]], what: str, axis: str, key: str) -> None:
    frame = curve(books, what)
    st.plotly_chart(
        charts.growth_lines(frame, what, axis, 0, usd=False),
        key=key,
        config=tables.CHART,
        alt=f"Lines, one per way: {axis}",
    )


def curve(books: Mapping[Approach, Sequence[LedgerRow]], what: str) -> pd.DataFrame:
    """One row per way and turn; a turn the server did not report on is missing."""
    import pandas as pd

    rows = [
        (places.NAMES[approach], entry.turn, getattr(entry, what))
        for approach, entries in books.items()
        for entry in entries
        if getattr(entry, what) is not None
    ]
    return pd.DataFrame(rows, columns=["strategy", "turn", what])


def totals(books: Mapping[Approach, Sequence[LedgerRow]]) -> pd.DataFrame:
    """One row per way."""
    import pandas as pd

    rows = []
    for approach, entries in books.items():
        price = costs(entries)
        firsts = sorted(entry.first_token_ms for entry in entries if entry.first_token_ms is not None)
        rows.append(
            [
                places.NAMES[approach],
                len(entries),
                sum(e.bytes_up for e in entries),
                sum(e.requests for e in entries),
                total([e.input_tokens for e in entries]),
                total([e.cached_tokens for e in entries]),
                total([e.output_tokens for e in entries]),
                None if price is None else float(price),
                round(firsts[len(firsts) // 2]) if firsts else None,
                round(sum(e.duration_ms or 0 for e in entries)),
                entries[-1].verdict.word,
            ]
        )
    names = [
        "way",
        "turns",
        "bytes uploaded",
        "requests",
        "input tokens",
        "of them cached",
        "output tokens",
        "cost in USD",
        "first token in ms (median)",
        "time in ms",
        "history",
    ]
    frame = pd.DataFrame(rows, columns=names)
    return frame.astype(
        dict.fromkeys(("input tokens", "of them cached", "output tokens", "first token in ms (median)"), "Int64")
    )


def turns(books: Mapping[Approach, Sequence[LedgerRow]]) -> pd.DataFrame:
    """One row per way and turn."""
    import pandas as pd

    rows = [
        [
            places.NAMES[approach],
            e.turn,
            e.bytes_up,
            e.requests,
            e.input_tokens,
            e.cached_tokens,
            e.output_tokens,
            None if e.first_token_ms is None else round(e.first_token_ms),
            None if e.duration_ms is None else round(e.duration_ms),
            e.verdict.word,
            e.verdict.sentence,
        ]
        for approach, entries in books.items()
        for e in entries
    ]
    names = [
        "way",
        "turn",
        "bytes uploaded",
        "requests",
        "input tokens",
        "of them cached",
        "output tokens",
        "first token in ms",
        "time in ms",
        "history",
        "why",
    ]
    frame = pd.DataFrame(rows, columns=names)
    return frame.astype(
        dict.fromkeys(("input tokens", "of them cached", "output tokens", "first token in ms", "time in ms"), "Int64")
    )
