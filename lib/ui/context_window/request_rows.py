"""The messages of one request as rows: what you see, what is stored, what was sent.

Everything is rebuilt from the stored history and the turn's record. The third column is what the provider's adapter
makes of a message, not our own rendering of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from lib.analysis.decisions import Decision, decisions
from lib.analysis.request_view import PreambleMessage, RequestView
from lib.context.reasons import REASON_TEXT
from lib.messages import Message, utf8_safe
from lib.providers import ChatRequest, Provider
from lib.ui.components import palette
from lib.ui.components.message_rows import MessageRow
from lib.ui.format import numbers
from lib.ui.shell import session

ROWS = 60
"""Rows on one page."""
SHOWN = 4_000
"""Characters of a message that a row holds."""


@dataclass(frozen=True, slots=True)
class WireFormat:
    """Renders one message as this provider's adapter sends it."""

    provider: Provider
    model: str

    def of(self, message: Message) -> str:
        """The message as JSON, as it stands in the request's body."""
        body = self.provider.prepare(ChatRequest(self.model, (message,), 1)).body
        if message.is_system and body.get("system"):
            return json.dumps({"system": body["system"]}, ensure_ascii=False)
        return "\n".join(json.dumps(each, ensure_ascii=False) for each in body["messages"]) or "(nothing)"


@dataclass(frozen=True, slots=True)
class RowBuilder:
    """Makes rows of a request.

    `stored` is how many of its messages are stored: in a next request, all but the new one. With `mark_of`, which
    returns the mark of a stored index, rows of user messages can be pinned and muted.
    """

    view: RequestView
    wire: WireFormat
    stored: int
    mark_of: Callable[[int], str | None] | None = None

    def build(self, shown: slice) -> list[MessageRow]:
        """The rows of these messages; system prompt and summary stand above the first ones."""
        preamble = [self._preamble_row(each) for each in self.view.preamble] if not shown.start else []
        return [*preamble, *(self._row(each) for each in decisions(self.view, shown.start or 0, shown.stop))]

    def _preamble_row(self, lead: PreambleMessage) -> MessageRow:
        """The system prompt or a summary, which are sent but are not stored messages."""
        name, seen, kept = lead.name, "not drawn in the chat", "kept with the chat's settings"
        if lead.summary is not None:
            sources = ranges(lead.summary.sources)
            name, seen = f"summary of {sources}", cut(lead.summary.text)
            kept = f"kept beside the messages {sources}, which stay stored"
        cells = (seen, kept, cut(self.wire.of(lead.message)))
        tokens = numbers.tokens(lead.tokens, self.view.provenance)
        return MessageRow(None, name, palette.SYSTEM.colour, cells, tokens, True, palette.REASON_TAGS["system"])

    def _row(self, decision: Decision) -> MessageRow:
        message, at, included = decision.message, decision.index, decision.included
        is_stored = at < self.stored
        part = palette.part_of(decision.reason, newest=at == self.view.total - 1, included=included)
        markable = self.mark_of is not None and is_stored and message.role == "user"
        return MessageRow(
            index=at,
            name=f"{at + 1} · {message.role}" if is_stored else f"new · {message.role}",
            colour=part.colour,
            cells=(
                cut(message.text) or "(empty)",
                cut(json.dumps(message.to_dict(), ensure_ascii=False)) if is_stored else "stored once it is answered",
                cut(self.wire.of(message)) if included else None,
            ),
            tokens=numbers.tokens(decision.tokens, self.view.provenance),
            running=self._running_total(decision),
            included=included,
            tag=palette.REASON_TAGS[decision.reason],
            why=self._why(decision),
            markable=markable,
            mark=self.mark_of(at) if markable and self.mark_of is not None else None,
        )

    def _running_total(self, decision: Decision) -> str:
        """Tokens of the request if it held this message and all after it. Example: "Running total 748 / 320"."""
        budget = f" / {self.view.window.input_budget:,}" if self.view.window is not None else ""
        return f"Running total {decision.with_it:,}{budget}"

    def _why(self, decision: Decision) -> str:
        """Why it was not sent, with the total that was too much where that decided; empty for what was sent."""
        if decision.included:
            return ""
        why, window = REASON_TEXT[decision.reason], self.view.window
        if decision.reason == "summarized":
            names = [ranges(lead.summary.sources) for lead in self.view.preamble if lead.summary is not None]
            return f"{why} It stands at the top: the summary of {names[0]}." if names else why
        if decision.reason == "over_budget" and window is not None and decision.with_it > window.input_budget:
            return f"{why} With all after it, it would be {decision.with_it:,} of {window.input_budget:,} tokens."
        return why


def ranges(sources: Sequence[tuple[int, int]]) -> str:
    """Stored ranges in numbers that count from 1. Example: ranges([(0, 4), (6, 7)]) -> "1 to 4, 7"."""
    return ", ".join(str(start + 1) if stop - start == 1 else f"{start + 1} to {stop}" for start, stop in sources)


def cut(text: str) -> str:
    """A text, cut to what a row holds."""
    return utf8_safe(text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text) - SHOWN:,} more characters)")


def page_of(total: int, key: str, chosen: int | None = None) -> slice:
    """Which of `total` rows to draw, with a pagination widget where there are many: at first the newest, and the page
    of a chosen message when that changes."""
    pages = max(1, -(-total // ROWS))
    if pages == 1:
        return slice(0, total)
    session.turn_page(key, pages, chosen, (chosen or 0) // ROWS + 1)
    page = st.pagination(pages, key=key)
    return slice((page - 1) * ROWS, min(total, page * ROWS))
