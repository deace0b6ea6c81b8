"""The messages of one request as lines that open to what you see, what is stored and what was sent.

Everything is rebuilt from the stored history and the turn's record. What was sent is what the provider's adapter makes
of a message, not our own rendering of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import streamlit as st

from lib.analysis.decisions import Decision, decisions
from lib.analysis.request_view import PreambleMessage, RequestView
from lib.analysis.requests import PlainRun
from lib.history import Mark
from lib.messages import Message, utf8_safe
from lib.providers import ChatRequest, Provider
from lib.ui.components import message_rows, palette
from lib.ui.components.message_parts.shown import views_of
from lib.ui.components.message_parts.views import Shown, words_of
from lib.ui.components.message_rows import Cell, MessageRow
from lib.ui.context_window import sentences, state
from lib.ui.format import numbers
from lib.ui.shell import session

ROWS = 60
"""Lines on one page."""
SHOWN = 4_000
"""Characters of a message that an open line holds."""
WORDS = 160
"""Characters of a message in its line; the browser cuts them to the width."""
FOLDED = 3
"""Messages from which on a stretch that is not sent stands in one line."""
LONG, NEWEST = 24, 10
"""A stretch that is sent stands in one line if it has more than LONG messages, except for its newest ones."""
SEEN, STORED = "What you see", "What is stored"

Line = int | PlainRun
"""One line: the stored index of a message, or a stretch of messages with one reason."""


class Wire(Protocol):
    """Renders messages as they were or would be sent."""

    def of(self, message: Message, index: int | None = None) -> str:
        """The message as JSON, as it stands in the request's body. `index` is its place among the stored messages."""


@dataclass(frozen=True, slots=True)
class WireFormat:
    """Renders one message as this provider's adapter sends it."""

    provider: Provider
    model: str

    def of(self, message: Message, index: int | None = None) -> str:
        """The message as JSON, as it stands in the request's body."""
        body = self.provider.prepare(ChatRequest(self.model, (message,), 1)).body
        if message.is_system and body.get("system"):
            return json.dumps({"system": body["system"]}, ensure_ascii=False)
        return "\n".join(json.dumps(each, ensure_ascii=False) for each in body["messages"]) or "(nothing)"


def lines_of(view: RequestView, opened: Collection[int], chosen: int | None = None) -> list[Line]:
    """The messages in order, with the stretches that stand in one line. The messages of a stretch whose first index is
    in `opened`, or that holds the chosen message, follow it."""
    lines: list[Line] = []
    for run in view.runs:
        start, stop, included, reason = run
        is_long = stop - start >= FOLDED if not included else stop - start > LONG
        end = stop if not included else stop - NEWEST
        if not is_long:
            lines += range(start, stop)
            continue
        lines.append((start, end, included, reason))
        is_open = start in opened or (chosen is not None and start <= chosen < end)
        lines += range(start if is_open else end, stop)
    return lines


@dataclass(frozen=True, slots=True)
class RowBuilder:
    """Makes rows of a request.

    `stored` is how many of its messages are stored: in a next request, all but the new one. `sent` is the title above
    what was or would be sent. With `mark_of`, which returns the mark of a stored index, rows of user messages can be
    pinned and muted. With `parts`, messages that are more than a text are seen as what they are.
    """

    view: RequestView
    wire: Wire
    stored: int
    sent: str = "What was sent"
    mark_of: Callable[[int], str | None] | None = None
    parts: Shown | None = None

    def build(self, lines: Sequence[Line], shown: slice) -> list[MessageRow]:
        """The rows of these lines; system prompt and summary stand above the first ones."""
        rows = [self._preamble_row(each) for each in self.view.preamble] if not shown.start else []
        part = lines[shown]
        for place, line in enumerate(part):
            if isinstance(line, int):
                rows += [self._row(each) for each in decisions(self.view, line, line + 1)]
            else:
                following = lines[(shown.start or 0) + place + 1 :][:1]
                rows.append(stretch_row(self.view, line, is_open=following == [line[0]]))
        return rows

    def _preamble_row(self, lead: PreambleMessage) -> MessageRow:
        """The system prompt or a summary, which are sent but are not stored messages."""
        name, kept = lead.name, "with the chat's settings"
        if lead.summary is not None:
            sources = sentences.ranges(lead.summary.sources)
            name, kept = f"summary of {sources}", f"beside the messages {sources}, which stay stored"
        cells = (
            Cell(SEEN, note="not drawn in the chat"),
            Cell(STORED, note=kept),
            Cell(self.sent, cut(self.wire.of(lead.message)), code=True),
        )
        tokens = numbers.plural(lead.tokens, "token")
        words, tag = first_words(lead.message.text), palette.REASON_TAGS["system"]
        return MessageRow(None, name, palette.SYSTEM.colour, words, tokens, True, tag, cells)

    def _row(self, decision: Decision) -> MessageRow:
        message, at, included = decision.message, decision.index, decision.included
        is_stored = at < self.stored
        part = palette.part_of(decision.reason, newest=at == self.view.total - 1, included=included)
        markable = self.mark_of is not None and is_stored and message.role == "user"
        return MessageRow(
            index=at,
            name=f"{at + 1} · {message.role}" if is_stored else f"new · {message.role}",
            colour=part.colour,
            words=first_words(words_of(message)),
            tokens=numbers.plural(decision.tokens, "token"),
            included=included,
            tag=palette.REASON_TAGS[decision.reason],
            cells=self._cells(message, at, included, is_stored),
            running=sentences.running_total(self.view, decision),
            why=sentences.why(self.view, decision),
            markable=markable,
            mark=self.mark_of(at) if markable and self.mark_of is not None else None,
        )

    def _cells(self, message: Message, at: int, included: bool, is_stored: bool) -> tuple[Cell, ...]:
        """What is seen, stored and sent; what is the same is said to be, and not repeated."""
        stored = json.dumps(message.to_dict(), ensure_ascii=False)
        is_plain = message.to_dict() == {"role": message.role, "content": message.text}
        if not is_stored:
            kept = Cell(STORED, note="nothing yet: it is stored once it is answered")
        elif is_plain:
            kept = Cell(STORED, note=f"the same text, with the role “{message.role}”")
        else:
            kept = Cell(STORED, cut(stored), code=True)
        wire = self.wire.of(message, at) if included else None
        if wire is None:
            sent = Cell(self.sent, note="not in this request", gone=True)
        elif wire == stored:
            sent = Cell(self.sent, note="the same as what is stored" if is_stored else "the same text")
        else:
            sent = Cell(self.sent, cut(wire), code=True)
        return seen(SEEN, message, at, self.parts), kept, sent


def seen(title: str, message: Message, at: int, parts: Shown | None) -> Cell:
    """A message as it is seen: its text, or its parts where it has more than a text."""
    views = views_of(message, parts, at)
    if not views:
        return Cell(title, cut(words_of(message)) or "(empty)")
    if all(view.kind == "text" for view in views):
        return Cell(title, cut("\n\n".join(view.text for view in views)) or "(empty)")
    return Cell(title, parts=tuple(replace(view, text=cut(view.text)) for view in views))


def draw(
    rows: RowBuilder, session_id: str, name: str, on_mark: Callable[[int, Mark | None], None] | None = None
) -> None:
    """Draw the rows of a request, with the chosen message open."""
    chosen, key = session.chosen_message(), f"{session_id}:{name}"
    lines = lines_of(rows.view, state.open_stretches(key), chosen)
    opened = state.take_opened_stretch(key)
    if opened is not None:
        line = next((place for place, each in enumerate(lines) if not isinstance(each, int) and each[0] == opened), 0)
        session.set_widget(f"{name}_page", line // ROWS + 1)
    shown = page_of(lines, f"{name}_page", chosen)
    message_rows.draw(rows.build(lines, shown), f"{name}_rows", chosen, on_mark, partial(state.open_stretch, key))


def stretch_row(view: RequestView, run: PlainRun, *, is_open: bool) -> MessageRow:
    """A stretch of messages in one line."""
    start, stop, included, reason = run
    return MessageRow(
        index=None,
        name=f"{start + 1} to {stop}",
        colour=palette.part_of(reason, included=included).colour,
        words=sentences.stretch(view, *run),
        tokens="",
        included=included,
        stretch=start,
        is_open=is_open,
    )


def first_words(text: str) -> str:
    """A message in one line."""
    return " ".join(utf8_safe(text[: 4 * WORDS]).split())[:WORDS] or "(empty)"


def cut(text: str) -> str:
    """A text, cut to what an open line holds."""
    return utf8_safe(text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text) - SHOWN:,} more characters)")


def page_of(lines: Sequence[Line], key: str, chosen: int | None = None) -> slice:
    """Which lines to draw, with a pagination widget where there are many: at first the newest, and the page of a chosen
    message when that changes."""
    pages = max(1, -(-len(lines) // ROWS))
    if pages == 1:
        return slice(0, len(lines))
    place = lines.index(chosen) if chosen in lines else 0
    session.turn_page(key, pages, chosen, place // ROWS + 1)
    page = st.pagination(pages, key=key)
    return slice((page - 1) * ROWS, min(len(lines), page * ROWS))
