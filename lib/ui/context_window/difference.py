"""What changed from one request to the next: what entered, what left, what stayed, and what a prompt cache could reuse.

The rule: what a cache could give back is our reckoning, what it did is the server's word; the two never share a number.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.analysis.decisions import Difference, difference, fate_of, view_of_record
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.context.plan import REASON_TEXT
from lib.ui.components import message_rows, message_sizes, palette
from lib.ui.components.message_rows import Columns, MessageRow
from lib.ui.context_window import request_rows
from lib.ui.context_window.request_rows import RequestEntry
from lib.ui.format import numbers
from lib.ui.shell.page import Page


def draw(page: Page, entries: Sequence[RequestEntry], place: int) -> None:
    """The sentence, the numbers, the messages that are not in both."""
    now = entries[place].record
    before = next((entry.record for entry in reversed(entries[:place]) if entry.record is not None), None)
    if now is None or before is None:
        st.info("There is no request before this one to hold it against." if now else "This turn's messages are gone.")
        return
    sizes = message_sizes.sizes_of(page, now.turn)
    changed = difference(before, now, sizes)
    st.markdown(takeaway(changed, before, now))
    _prefix(changed, now, sizes)
    _rows(page, before, now, changed, sizes)


def takeaway(changed: Difference, before: RequestRecord, now: RequestRecord) -> str:
    """Example: "**From turn 3 to turn 4:** 2 messages entered, 4 left, 6 stayed." """
    entered, left, stayed = (
        sum(stop - start for start, stop in each) for each in (changed.entered, changed.left, changed.stayed)
    )
    return (
        f"**From {before.name} to {now.name}:** {numbers.plural(entered, 'message')} entered, {left:,} left, {stayed:,}"
        " stayed."
    )


def _prefix(changed: Difference, now: RequestRecord, sizes: MessageSizes) -> None:
    """How much of the beginning is the same, and what the server says of its cache."""
    sent = sizes.parts(now).sent
    same = f"The first {numbers.sized(changed.reusable, sizes.provenance)} of {sent:,} are the same as before"
    where = "" if changed.broken_at is None else f", up to message {changed.broken_at + 1}"
    turn = now.turn
    by = turn.usage_provenance if turn is not None else "billed"
    did = f"The server says it took {numbers.tokens(changed.cached, by)} from its cache."
    if changed.cached is None:
        did = "Whether the server reused any of it was not reported."
    other = now.system_prompt is not None and changed.reusable == 0
    why = " The system prompt or the first message changed, so nothing can be reused." if other else ""
    st.caption(
        f"{same}{where}: at most that much can come from a prompt cache, which matches from the first token on.{why}"
        f" {did}"
    )


def _rows(page: Page, before: RequestRecord, now: RequestRecord, changed: Difference, sizes: MessageSizes) -> None:
    """The messages of either request; of those in both, a stretch is one row."""
    was, is_now = (view_of_record(record, sizes, page.history) for record in (before, now))
    kinds = [("entered", changed.entered), ("left", changed.left), ("stayed", changed.stayed)]
    listed = sorted((start, stop, kind) for kind, stretches in kinds for start, stop in stretches)
    rows: list[MessageRow] = []
    for start, stop, kind in listed:
        if kind == "stayed":
            rows.append(_stretch(start, stop, sizes))
            continue
        for at in range(start, min(stop, start + request_rows.ROWS)):
            text = request_rows.cut(page.history[at].text) or "(empty)"
            fate = fate_of(is_now if kind == "left" else was, at)
            why = REASON_TEXT[fate[1]] if fate is not None else "It was not written yet."
            cells = (None, text, _fate(kind)) if kind == "entered" else (text, None, _fate(kind))
            part = palette.NEWEST if kind == "entered" else palette.LEFT_OUT
            rows.append(
                MessageRow(
                    at,
                    f"{at + 1} · {page.history[at].role}",
                    part.colour,
                    cells,
                    numbers.tokens(sizes.between(at, at + 1), sizes.provenance),
                    kind == "entered",
                    kind,
                    why=why,
                )
            )
        if stop - start > request_rows.ROWS:
            rows.append(_stretch(start + request_rows.ROWS, stop, sizes, kind))
    columns = Columns((f"In {before.name}", f"In {now.name}", "So"), (False, False, False))
    message_rows.draw(rows, "difference_rows", columns)


def _fate(kind: str) -> str:
    return "New in this request." if kind == "entered" else "The model does not see it any more."


def _stretch(start: int, stop: int, sizes: MessageSizes, kind: str = "stayed") -> MessageRow:
    """Neighbours of one fate in one row."""
    name = f"{start + 1}" if stop - start == 1 else f"{start + 1} to {stop}"
    held = {
        "stayed": ("sent", "sent again", "Paid for again, as always; a cache makes it cheaper."),
        "entered": ("not sent", "sent", _fate("entered")),
        "left": ("sent", "not sent", _fate("left")),
    }[kind]
    tokens = numbers.tokens(sizes.between(start, stop), sizes.provenance)
    return MessageRow(None, name, palette.HISTORY.colour, held, tokens, kind != "left", kind)
