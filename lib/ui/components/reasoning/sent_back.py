"""The reasoning of a request's turn, and whether reasoning was sent back: of the turn before, and with the next one.

It is looked up in what was sent: in the recorded elements of an app's own request, else in what the provider's adapter
makes of the stored messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import streamlit as st

from lib.analysis.parts.reasoning import SentBack, has_reasoned, readable, sent_back
from lib.analysis.replay import sent_ranges
from lib.analysis.requests import RequestRecord, records_of
from lib.analysis.runs import range_at
from lib.messages import Message, assistant
from lib.turns import Turn
from lib.ui.components.reasoning import line
from lib.ui.shell.page import Page

FATES: dict[SentBack, str] = {
    "text": "was sent back as text",
    "sealed": "was sent back encrypted: only the provider can read it, and it is not counted as text",
    "both": "was sent back as text, with a part that only the provider can read and that is not counted as text",
    "by id": "was sent back by its id: the server keeps it and looks it up",
    "no": "was not sent back",
}
GONE = "was not sent back, and neither was its reply"
KEPT = "was not sent back: the server keeps the conversation that this request continues"


class Wire(Protocol):
    """Renders messages as they were sent."""

    def of(self, message: Message, index: int | None = None) -> str:
        """The elements of the request's list that the message was, as JSON, one on a line."""


WireOf = Callable[[Turn | None], Wire]
"""Gives how the messages of a turn were sent."""


def draw(page: Page, record: RequestRecord, wire_of: WireOf) -> None:
    """The reasoning of this turn with its fate, and that of the turn before. Nothing where no reasoning is known."""
    if page.chat is None or record.turn is None:
        return
    records = [each for each in records_of(page.history, page.chat.store.turns(page.session_id)) if each.recorded]
    place = next((at for at, each in enumerate(records) if each.turn == record.turn), None)
    if place is None:
        return
    before = next((each for each in reversed(records[:place]) if _reasoned(page, each)), None)
    if before is not None:
        st.caption(f":material/psychology: The reasoning of {before.name} {fate(page, before, record, wire_of)}.")
    if not _reasoned(page, record):
        return
    line.draw(record.turn, _reply(page, record), f"request-{record.name}")
    if place + 1 < len(records):
        later = records[place + 1]
        st.caption(f"With the next request, {later.name}, this reasoning {fate(page, record, later, wire_of)}.")


def fate(page: Page, earlier: RequestRecord, later: RequestRecord, wire_of: WireOf) -> str:
    """What became of a turn's reasoning in a later request, as the end of a sentence."""
    replies = [at for at in earlier.reply if page.history[at].role == "assistant"]
    ranges = sent_ranges(later)
    held = [at for at in replies if range_at(ranges, at) is not None]
    if not held:
        reasons = {run[3] for run in later.runs if replies and run[0] <= replies[0] < run[1]}
        return KEPT if "server_kept" in reasons else GONE
    wire = wire_of(later.turn)
    return FATES[sent_back(element for at in held for element in _elements(wire, page.history, at))]


def _elements(wire: Wire, history: Sequence[Message], at: int) -> list[Any]:
    """What a message was in the request's list of messages."""
    found = []
    for written in wire.of(history[at], at).splitlines():
        try:
            found.append(json.loads(written))
        except ValueError:  # the words for a message that an adapter does not send
            continue
    return found


def _reasoned(page: Page, record: RequestRecord) -> bool:
    turn = record.turn
    return turn is not None and (has_reasoned(turn) or bool(readable(_reply(page, record))))


def _reply(page: Page, record: RequestRecord) -> Message:
    return page.history[record.reply.start] if record.reply else assistant("")
