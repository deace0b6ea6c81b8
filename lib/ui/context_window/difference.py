"""What changed from one request to the next: messages added, dropped and kept, and what a prompt cache could reuse.

How much a cache could give back is our calculation; how much it did give back is the server's figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from lib.analysis.decisions import Difference, difference
from lib.analysis.request_view import RequestView, fate_of, view_of_record
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.context.reasons import REASON_TEXT
from lib.ui.components import message_rows, message_sizes, palette
from lib.ui.components.message_rows import Columns, MessageRow
from lib.ui.context_window import request_rows
from lib.ui.context_window.request_picker import RequestEntry
from lib.ui.format import numbers
from lib.ui.shell.page import Page

Change = Literal["added", "dropped", "kept"]
EFFECTS: dict[Change, str] = {
    "added": "New in this request.",
    "dropped": "The model no longer sees it.",
    "kept": "Paid for again, as always; a cache makes it cheaper.",
}


def draw(page: Page, entries: Sequence[RequestEntry], place: int) -> None:
    """The sentence, the numbers, and the messages of both requests."""
    now = entries[place].record
    before = next((entry.record for entry in reversed(entries[:place]) if entry.record is not None), None)
    if now is None:
        st.info("This turn's messages are no longer stored.")
        return
    if before is None:
        st.info("This is the first request, so there is nothing to compare it with.")
        return
    sizes = message_sizes.sizes_of(page, now.turn)
    changed = difference(before, now, sizes)
    st.markdown(takeaway(changed, before, now))
    _prefix(changed, now, sizes)
    _rows(page, before, now, changed, sizes)


def takeaway(changed: Difference, before: RequestRecord, now: RequestRecord) -> str:
    """Example: "**From turn 3 to turn 4:** 2 messages added, 4 dropped, 6 kept." """
    added, dropped, kept = (
        sum(stop - start for start, stop in each) for each in (changed.entered, changed.left, changed.stayed)
    )
    return (
        f"**From {before.name} to {now.name}:** {numbers.plural(added, 'message')} added, {dropped:,} dropped,"
        f" {kept:,} kept."
    )


def _prefix(changed: Difference, now: RequestRecord, sizes: MessageSizes) -> None:
    """How much of the beginning is the same, and what the server says about its cache."""
    sent = sizes.parts(now).sent
    same = f"The first {numbers.sized(changed.reusable, sizes.provenance)} of {sent:,} are the same as before"
    where = "" if changed.broken_at is None else f", up to message {changed.broken_at + 1}"
    turn = now.turn
    provenance = turn.usage_provenance if turn is not None else "billed"
    from_cache = f"The server says it took {numbers.tokens(changed.cached, provenance)} from its cache."
    if changed.cached is None:
        from_cache = "Whether the server reused any of it was not reported."
    all_new = now.system_prompt is not None and changed.reusable == 0
    why = " The system prompt or the first message changed, so nothing can be reused." if all_new else ""
    st.caption(
        f"{same}{where}: at most that much can come from a prompt cache, which matches from the first token on.{why}"
        f" {from_cache}"
    )


def _rows(page: Page, before: RequestRecord, now: RequestRecord, changed: Difference, sizes: MessageSizes) -> None:
    """One row per added or dropped message; a range of kept ones is one row."""
    earlier, present = (view_of_record(record, sizes, page.history) for record in (before, now))
    kinds: list[tuple[Change, list[tuple[int, int]]]] = [
        ("added", changed.entered),
        ("dropped", changed.left),
        ("kept", changed.stayed),
    ]
    rows: list[MessageRow] = []
    for start, stop, kind in sorted((start, stop, kind) for kind, ranges in kinds for start, stop in ranges):
        if kind == "kept":
            rows.append(_range_row(start, stop, sizes, kind))
            continue
        other = present if kind == "dropped" else earlier
        shown = min(stop, start + request_rows.ROWS)
        rows += [_message_row(page, at, kind, other, sizes) for at in range(start, shown)]
        if stop > shown:
            rows.append(_range_row(shown, stop, sizes, kind))
    columns = Columns((f"In {before.name}", f"In {now.name}", "Effect"), (False, False, False))
    message_rows.draw(rows, "difference_rows", columns)


def _message_row(page: Page, at: int, kind: Change, other: RequestView, sizes: MessageSizes) -> MessageRow:
    """A message that is in one of the requests only; `other` is the one without it, and says why."""
    message, added = page.history[at], kind == "added"
    text = request_rows.cut(message.text) or "(empty)"
    fate = fate_of(other, at)
    return MessageRow(
        at,
        f"{at + 1} · {message.role}",
        (palette.NEWEST if added else palette.LEFT_OUT).colour,
        (None, text, EFFECTS[kind]) if added else (text, None, EFFECTS[kind]),
        numbers.tokens(sizes.between(at, at + 1), sizes.provenance),
        added,
        kind,
        why=REASON_TEXT[fate[1]] if fate is not None else "Didn't exist yet.",
    )


def _range_row(start: int, stop: int, sizes: MessageSizes, kind: Change) -> MessageRow:
    """Neighbouring messages with the same fate in one row."""
    name = f"{start + 1}" if stop - start == 1 else f"{start + 1} to {stop}"
    earlier, present = {"kept": ("sent", "sent again"), "added": ("not sent", "sent"), "dropped": ("sent", "not sent")}[
        kind
    ]
    tokens = numbers.tokens(sizes.between(start, stop), sizes.provenance)
    cells = (earlier, present, EFFECTS[kind])
    return MessageRow(None, name, palette.HISTORY.colour, cells, tokens, kind != "dropped", kind)
