"""The figures under a column: how its newest request filled the window, and what it read, took and cost."""

from __future__ import annotations

import streamlit as st

from lib.analysis.ranking import cost_of, read_tokens, tokens_per_second
from lib.analysis.requests import records_of
from lib.errors import ChatError
from lib.turns import Turn
from lib.ui.compare.column import Column
from lib.ui.components import message_sizes, window_strip
from lib.ui.format import numbers
from lib.ui.shell import services

EMPTY = window_strip.Fill(1, (), 0)
NOTHING = "no answer yet"
HIDDEN = "Figures are hidden until you vote."


def draw(column: Column) -> None:
    """The strip and its lines, also before the first answer: nothing below may move when it comes."""
    turn = column.turns[-1] if column.turns else None
    if turn is None or not column.name:
        window_strip.draw(EMPTY)
        lines = [NOTHING if column.name else HIDDEN, *[""] * 5]
    else:
        window_strip.draw(_fill(column))
        lines = [_read(turn), *_window(turn), *_time(turn), _money(turn)]
    st.caption("  \n".join(line.replace("$", "\\$") or "\u00a0" for line in lines))


def _fill(column: Column) -> window_strip.Fill:
    """The strip of the newest request, in tokens by the counter that planned it."""
    page = column.page
    records = [record for record in records_of(page.history, column.turns) if record.turn is not None]
    if not records or records[-1].turn is None or records[-1].turn.plan is None:
        return EMPTY
    plan = records[-1].turn.plan
    try:
        parts = message_sizes.sizes_of(page, records[-1].turn).parts(records[-1])
    except ChatError:  # the counter cannot be reached: the figures below say what is known
        return EMPTY
    return window_strip.fill_of_parts(parts, plan.max_tokens, plan.reserved_for_reply)


def _read(turn: Turn) -> str:
    """Example: "412 tokens read, 38 written (counted)"."""
    (read, provenance), wrote = read_tokens(turn), turn.usage.output_tokens
    if read is None:
        return f"tokens {numbers.NOT_REPORTED}"
    written = "" if wrote is None else f", {wrote:,} written"
    return f"{read:,} tokens read{written} ({numbers.who_counted([provenance])})"


def _window(turn: Turn) -> tuple[str, str]:
    """Example: "1,602 of 2,048 tokens left", "4 messages not sent"."""
    if turn.plan is None:
        return "its request was not planned", ""
    left = max(0, turn.plan.max_tokens - (read_tokens(turn)[0] or 0) - (turn.usage.output_tokens or 0))
    not_sent = turn.plan.left_out
    dropped = f"{numbers.plural(not_sent, 'message')} not sent" if not_sent else "every message sent"
    return f"{left:,} of {turn.plan.max_tokens:,} tokens left", dropped


def _time(turn: Turn) -> tuple[str, str]:
    """Example: "first word 0.4 s, 21 tokens/s", "3.2 s in all"."""
    speed = tokens_per_second([turn])
    first = None if turn.first_token_ms is None else turn.first_token_ms / 1000
    whole = None if turn.duration_ms is None else turn.duration_ms / 1000
    fast = f"speed {numbers.NOT_REPORTED}" if speed is None else f"{speed:,.0f} tokens/s"
    return f"first word {numbers.duration(first)}, {fast}", f"{numbers.duration(whole)} in all"


def _money(turn: Turn) -> str:
    """Example: "$0.0012, 82 % from the cache"."""
    cached, read = turn.usage.cached_tokens, turn.usage.input_tokens
    reused = f"{numbers.percent(cached, read)} from the cache" if cached is not None and read else ""
    cost = cost_of([turn], services.find_model)
    price = "free" if cost is not None and not cost else numbers.money(cost)
    return f"{price}, {reused or f'cache {numbers.NOT_REPORTED}'}"
