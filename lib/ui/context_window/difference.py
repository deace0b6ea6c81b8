"""What changed from one request to the next: messages added, dropped and kept, and what a prompt cache could reuse."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import streamlit as st

from lib.analysis.decisions import Difference, decisions, difference
from lib.analysis.request_view import RequestView, view_of_record
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.ui.components import message_rows, message_sizes, palette
from lib.ui.components.message_parts.shown import shown_with
from lib.ui.components.message_parts.views import words_of
from lib.ui.components.message_rows import Cell, MessageRow
from lib.ui.context_window import request_rows, sentences, state
from lib.ui.context_window.prompt_cache import box
from lib.ui.context_window.request_picker import RequestEntry
from lib.ui.format import numbers
from lib.ui.shell.page import Page

Change = Literal["added", "dropped", "kept"]
SIGNS: dict[Change, str] = {"added": "+", "dropped": "−", "kept": "="}
EFFECTS: dict[Change, str] = {
    "added": "New in this request.",
    "dropped": "The model no longer sees it.",
    "kept": "Sent again, as every turn; a prompt cache makes that cheaper.",
}


def draw(page: Page, entries: Sequence[RequestEntry], place: int) -> None:
    """The sentence, the numbers, and the messages of both requests."""
    now = entries[place].record
    before = next((entry.record for entry in reversed(entries[:place]) if entry.record is not None), None)
    if now is None:
        st.info("This turn's messages are no longer stored.")
        return
    sizes = message_sizes.sizes_of(page, now.turn)
    if before is None:
        st.info("This is the first request, so there is nothing to compare it with.")
        box.draw(None, now, sizes)
        return
    changed = difference(before, now, sizes)
    st.markdown(sentences.change(changed, before, now))
    box.draw(before, now, sizes)
    _rows(page, before, now, changed, sizes)


def _rows(page: Page, before: RequestRecord, now: RequestRecord, changed: Difference, sizes: MessageSizes) -> None:
    """One line per added message, one per stretch of kept or dropped ones; a dropped stretch opens to its messages."""
    present = view_of_record(now, sizes, page.history)
    earlier = view_of_record(before, sizes, page.history)
    kinds: list[tuple[Change, list[tuple[int, int]]]] = [
        ("added", changed.entered),
        ("dropped", changed.left),
        ("kept", changed.stayed),
    ]
    opened, key = state.open_stretches(f"{page.session_id}:difference"), f"{page.session_id}:difference"
    rows: list[MessageRow] = []
    for start, stop, kind in sorted((start, stop, kind) for kind, ranges in kinds for start, stop in ranges):
        if kind == "kept" or stop - start >= request_rows.FOLDED:
            is_open = start in opened and kind != "kept"
            rows.append(_stretch_row(start, stop, sizes, kind, is_open))
            if not is_open:
                continue
        shown = min(stop, start + request_rows.ROWS)
        other = earlier if kind == "added" else present
        rows += [_message_row(page, at, kind, other, sizes, before, now) for at in range(start, shown)]
        if stop > shown:
            rows.append(_stretch_row(shown, stop, sizes, "kept" if kind == "kept" else kind, None))
    message_rows.draw(rows, "difference_rows", on_stretch=partial(state.open_stretch, key))


def _message_row(
    page: Page,
    at: int,
    kind: Change,
    other: RequestView,
    sizes: MessageSizes,
    before: RequestRecord,
    now: RequestRecord,
) -> MessageRow:
    """A message that is in one of the requests only; `other` is the one without it, and says why."""
    message, added = page.history[at], kind == "added"
    found = decisions(other, at, at + 1)
    there, gone = (now, before) if added else (before, now)
    return MessageRow(
        at,
        f"{SIGNS[kind]} {at + 1} · {message.role}",
        (palette.NEWEST if added else palette.LEFT_OUT).colour,
        request_rows.first_words(words_of(message)),
        numbers.plural(sizes.between(at, at + 1), "token"),
        added,
        kind,
        (
            request_rows.seen(f"In {there.name}", message, at, shown_with(page, (message,), (), now.turn)),
            Cell(f"In {gone.name}", note=sentences.why(other, found[0]) if found else "Didn't exist yet.", gone=True),
        ),
    )


def _stretch_row(start: int, stop: int, sizes: MessageSizes, kind: Change, is_open: bool | None) -> MessageRow:
    """Neighbouring messages with the same fate in one line. A kept one does not open, nor one without `is_open`."""
    name = f"{start + 1}" if stop - start == 1 else f"{start + 1} to {stop}"
    count, tokens = numbers.plural(stop - start, "message"), numbers.plural(sizes.between(start, stop), "token")
    return MessageRow(
        None,
        f"{SIGNS[kind]} {name}",
        (palette.LEFT_OUT if kind == "dropped" else palette.HISTORY).colour,
        f"{count} {kind}, {tokens}. {EFFECTS[kind]}",
        "",
        kind != "dropped",
        "" if kind == "dropped" else kind,
        stretch=start if is_open is not None and kind != "kept" else None,
        is_open=bool(is_open),
    )
