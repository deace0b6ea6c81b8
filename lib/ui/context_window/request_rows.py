"""The view recorder's parts: choosing a request, and its messages as rows for the three columns.

The rule: looking writes nothing. Everything shown is rebuilt from the stored history and the turn's own record; what went out
is what the provider's adapter makes of a message, not what we think of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from lib.analysis.decisions import Decision, PreambleMessage, RequestView, decisions
from lib.analysis.requests import RequestRecord
from lib.context.plan import REASON_TEXT, Reason
from lib.messages import Message
from lib.providers import ChatRequest, Provider
from lib.turns import Turn
from lib.ui.components import palette
from lib.ui.components.message_rows import MessageRow
from lib.ui.format import numbers
from lib.ui.format.text import drawable
from lib.ui.shell import session

PICKED = "chosen_turn"
ROWS = 60
"""Rows drawn at once."""
SHOWN = 4_000
"""Characters of a message that a row holds."""
TAGS: dict[Reason, str] = {
    "system": "instructions",
    "pinned": "pinned",
    "recent": "recent",
    "fits": "fits",
    "over_budget": "over budget",
    "outside_window": "too old",
    "middle": "in the middle",
    "summarized": "summarized",
    "muted": "muted",
    "partner_left_out": "partner missing",
}


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """A request to look at. `record` is None for a turn that cannot be laid beside the stored messages, `turn` for a message
    that another service sent."""

    record: RequestRecord | None
    turn: Turn | None

    @property
    def key(self) -> str:
        """As it stands in the URL. Example: "3", or "m7" for a message whose turn nobody recorded."""
        if self.turn is not None:
            return str(self.turn.number)
        assert self.record is not None
        return f"m{self.record.at + 1}"

    @property
    def name(self) -> str:
        """Example: "turn 3", "message 7"."""
        return f"turn {self.turn.number}" if self.turn is not None else f"message {self.key[1:]}"


def entries(records: Sequence[RequestRecord], detached: Sequence[Turn]) -> list[RequestEntry]:
    """Everything that was sent, in order."""
    listed = [RequestEntry(record, record.turn) for record in records]
    for turn in detached:
        after = (
            place for place, entry in enumerate(listed) if entry.turn is not None and entry.turn.number > turn.number
        )
        listed.insert(next(after, len(listed)), RequestEntry(None, turn))
    return listed


def pick(listed: Sequence[RequestEntry]) -> int:
    """The place of the request to look at: a slider with an arrow on each side; kept in the URL as `?turn=`."""
    keys = [entry.key for entry in listed]
    asked = session.asked_turn()
    place = keys.index(asked) if asked in keys else len(keys) - 1
    if len(keys) == 1:
        return place
    names = {entry.key: entry.name for entry in listed}
    st.session_state[PICKED] = keys[place]
    with st.container(horizontal=True, wrap=False, vertical_alignment="bottom", key="turn_picker"):
        _arrow("The request before", ":material/chevron_left:", keys[max(0, place - 1)], place == 0)
        st.select_slider(
            "Which request", keys, key=PICKED, on_change=_picked, format_func=lambda key: names.get(key, key)
        )
        _arrow(
            "The request after", ":material/chevron_right:", keys[min(len(keys) - 1, place + 1)], place == len(keys) - 1
        )
    return place


def _picked() -> None:
    session.ask_for_turn(st.session_state[PICKED])


def _arrow(words: str, icon: str, key: str, at_the_end: bool) -> None:
    st.button(
        "",
        icon=icon,
        key=f"arrow:{words}",
        help=words,
        type="tertiary",
        disabled=at_the_end,
        on_click=session.ask_for_turn,
        args=(key,),
    )


@dataclass(frozen=True, slots=True)
class WireFormat:
    """How a provider's adapter puts one message on the wire."""

    provider: Provider
    model: str

    def json_of(self, message: Message) -> str:
        """The message as JSON, as it goes into the request's body."""
        body = self.provider.prepare(ChatRequest(self.model, (message,), 1)).body
        if message.is_system and body.get("system"):
            return json.dumps({"system": body["system"]}, ensure_ascii=False)
        return "\n".join(json.dumps(each, ensure_ascii=False) for each in body["messages"]) or "(nothing)"


@dataclass(frozen=True, slots=True)
class Rows:
    """Makes rows of a view. `stored` is how many of its messages are stored: of a next request, all but the new one.
    With `mark_of`, rows of user messages can be pinned and muted; it says which are."""

    view: RequestView
    wire_format: WireFormat
    stored: int
    mark_of: Callable[[int], str | None] | None = None

    def drawn(self, shown: slice) -> list[MessageRow]:
        """The rows of these messages; what leads the request stands above the first ones."""
        lead = [self.preamble_row(each) for each in self.view.preamble] if not shown.start else []
        return [*lead, *(self.row(decision) for decision in decisions(self.view, shown.start or 0, shown.stop))]

    def preamble_row(self, lead: PreambleMessage) -> MessageRow:
        """The session's system prompt or a summary: sent, and not a stored message."""
        name, seen, kept = lead.name, "not drawn in the chat", "kept with the session's settings"
        if lead.summary is not None:
            sources = stretches(lead.summary.sources)
            name, seen, kept = (
                f"summary of {sources}",
                cut(lead.summary.text),
                f"kept beside the messages {sources}, which stay stored",
            )
        return MessageRow(
            None,
            name,
            palette.SYSTEM.colour,
            (seen, kept, cut(self.wire_format.json_of(lead.message))),
            numbers.tokens(lead.tokens, self.view.provenance),
            True,
            TAGS["system"],
        )

    def row(self, decision: Decision) -> MessageRow:
        """One message."""
        message, at = decision.message, decision.index
        newest = at == self.view.total - 1
        part = (
            palette.NEWEST
            if newest
            else {"pinned": palette.PINNED, "system": palette.SYSTEM}.get(decision.reason, palette.HISTORY)
        )
        is_stored = at < self.stored
        markable = self.mark_of is not None and is_stored and message.role == "user"
        return MessageRow(
            index=at,
            name=f"{at + 1} · {message.role}" if is_stored else f"new · {message.role}",
            colour=part.colour if decision.included else palette.LEFT_OUT.colour,
            cells=(
                cut(message.text) or "(empty)",
                cut(json.dumps(message.to_dict(), ensure_ascii=False)) if is_stored else "stored once it is answered",
                cut(self.wire_format.json_of(message)) if decision.included else None,
            ),
            tokens=numbers.tokens(decision.tokens, self.view.provenance),
            running=self._running(decision),
            included=decision.included,
            tag=TAGS[decision.reason],
            why=self._why(decision),
            markable=markable,
            mark=self.mark_of(at) if markable and self.mark_of is not None else None,
        )

    def _running(self, decision: Decision) -> str:
        window = self.view.window
        return f"with all after it: {decision.with_it:,}" + (
            f" of {window.input_budget:,}" if window is not None else ""
        )

    def _why(self, decision: Decision) -> str:
        """Why it was left out; with the total that was too much, where that decided."""
        if decision.included:
            return ""
        why, window = REASON_TEXT[decision.reason], self.view.window
        if decision.reason == "summarized":
            names = [stretches(lead.summary.sources) for lead in self.view.preamble if lead.summary is not None]
            return f"{why} It stands at the top: the summary of {names[0]}." if names else why
        if decision.reason == "over_budget" and window is not None and decision.with_it > window.input_budget:
            return f"{why} With all after it, it would be {decision.with_it:,} of {window.input_budget:,} tokens."
        return why


def stretches(sources: Sequence[tuple[int, int]]) -> str:
    """Stored stretches as people count. Example: stretches([(0, 4), (6, 7)]) -> "1 to 4, 7"."""
    return ", ".join(str(start + 1) if stop - start == 1 else f"{start + 1} to {stop}" for start, stop in sources)


def cut(text: str) -> str:
    """A text as a row holds it."""
    return drawable(text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text) - SHOWN:,} more characters)")


def page_of(total: int, key: str, chosen: int | None = None) -> slice:
    """Which rows are drawn: page by page where there are many, the newest at first, or those around a chosen message."""
    pages = max(1, -(-total // ROWS))
    if pages == 1:
        return slice(0, total)
    if chosen is not None and st.session_state.get(f"{key}:chosen") != chosen:
        st.session_state[f"{key}:chosen"] = chosen
        st.session_state[key] = chosen // ROWS + 1
    if st.session_state.get(key, pages) > pages:
        st.session_state[key] = pages
    page = (
        st.pagination(pages, default=pages, key=key) if key not in st.session_state else st.pagination(pages, key=key)
    )
    return slice((page - 1) * ROWS, min(total, page * ROWS))
