"""Lists the requests of a chat and lets a person pick one; the choice is kept in the URL as `?turn=`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lib.analysis.requests import RequestRecord, detached, records_of
from lib.turns import Turn
from lib.ui.shell import session
from lib.ui.shell.page import Page


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """One request. `record` is None for a turn that no longer matches the stored messages, `turn` for a message that
    another service sent."""

    record: RequestRecord | None
    turn: Turn | None

    @property
    def key(self) -> str:
        """Its name in the URL. Example: "3", or "m7" for a message without a recorded turn."""
        if self.turn is not None:
            return str(self.turn.number)
        assert self.record is not None
        return f"m{self.record.at + 1}"

    @property
    def name(self) -> str:
        """Example: "turn 3", "message 7"."""
        return f"turn {self.turn.number}" if self.turn is not None else f"message {self.key[1:]}"


def load(page: Page) -> list[RequestEntry] | None:
    """All requests of the chat, in order. None if it could not be loaded, which setup() explains."""
    if page.chat is None or page.error is not None:
        return None
    turns = page.chat.store.turns(page.session_id)
    return entries(records_of(page.history, turns), detached(page.history, turns))


def entries(records: Sequence[RequestRecord], without_messages: Sequence[Turn]) -> list[RequestEntry]:
    """Requests and turns that no longer match the stored messages, in the order in which they were sent."""
    listed = [RequestEntry(record, record.turn) for record in records]
    for turn in without_messages:
        later = (place for place, each in enumerate(listed) if each.turn is not None and each.turn.number > turn.number)
        listed.insert(next(later, len(listed)), RequestEntry(None, turn))
    return listed


def pick(listed: Sequence[RequestEntry]) -> int:
    """The position of the picked request: a slider with an arrow on each side, at first on the newest."""
    keys = [entry.key for entry in listed]
    in_url = session.turn_in_url()
    place = keys.index(in_url) if in_url in keys else len(keys) - 1
    if len(keys) == 1:
        return place
    names = {entry.key: entry.name for entry in listed}
    session.set_widget(session.PICKED_TURN, keys[place])
    with st.container(horizontal=True, wrap=False, vertical_alignment="bottom", key="turn_picker"):
        _arrow("Previous turn", ":material/chevron_left:", keys[max(0, place - 1)], place == 0)
        st.select_slider(
            "Which request",
            keys,
            key=session.PICKED_TURN,
            on_change=session.put_picked_turn_into_url,
            format_func=lambda key: names.get(key, key),
        )
        last = len(keys) - 1
        _arrow("Next turn", ":material/chevron_right:", keys[min(last, place + 1)], place == last)
    return place


def _arrow(words: str, icon: str, key: str, at_the_end: bool) -> None:
    st.button(
        "",
        icon=icon,
        key=f"arrow:{words}",
        help=words,
        type="tertiary",
        disabled=at_the_end,
        on_click=session.set_turn_in_url,
        args=(key,),
    )
