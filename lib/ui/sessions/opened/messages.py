"""The messages of the open session with the line of each turn, and the ways to fork it at any of them."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lib.analysis.requests import records_of
from lib.messages import Message, utf8_safe
from lib.turns import Turn
from lib.ui.chat import actions as chat_actions
from lib.ui.chat import not_sent, transcript, turn_line
from lib.ui.components.message_parts.shown import shown_with, views_of
from lib.ui.components.message_parts.views import Shown
from lib.ui.components.reasoning import line as reasoning
from lib.ui.format import numbers
from lib.ui.sessions import actions
from lib.ui.shell import session
from lib.ui.shell.page import Page

SHOWN = 20
"""Messages on one page."""


def draw(page: Page) -> None:
    """One page of the messages, at first the newest."""
    assert page.chat is not None
    history = page.history
    if not history:
        st.info("No message is stored: the first one is still being answered, or was interrupted.")
        return
    pages = -(-len(history) // SHOWN)
    key = f"messages_page:{page.session_id}"
    session.turn_page(key, pages, None, 1)
    st.markdown(sentence(len(history)))
    number = st.pagination(pages, key=key) if pages > 1 else 1
    turns = _turns(page)
    drawn = range((number - 1) * SHOWN, min(number * SHOWN, len(history)))
    shown = shown_with(page, [history[index] for index in drawn], turns.values())
    for index in drawn:
        _message(page, index, history[index], turns, shown)
    not_sent.style()


def sentence(stored: int) -> str:
    """What can be done here."""
    return (
        f"**{numbers.plural(stored, 'message')} stored.** Fork the chat after any of them, or change one in a fork:"
        " this chat stays as it is."
    )


def _turns(page: Page) -> Mapping[int, Turn]:
    """The turns by the stored index of the reply that their line stands under."""
    assert page.chat is not None
    records = records_of(page.history, page.chat.store.turns(page.session_id))
    return {record.at + 1: record.turn for record in records if record.turn is not None}


def _message(page: Page, index: int, entry: Message, turns: Mapping[int, Turn], shown: Shown | None) -> None:
    with transcript.message(entry, key=f"stored-{index}", views=views_of(entry, shown, index)):
        if index in turns:
            reasoning.draw(turns[index], entry, f"stored-{index}")
            turn_line.draw(turns[index], page.session_id)
        with st.container(horizontal=True, gap="small", key=f"fork_row:{index}"):
            st.button(
                "Fork from here",
                icon=":material/call_split:",
                type="tertiary",
                key=f"fork:{page.session_id}:{index}",
                help=f"Begins a new chat with the first {numbers.plural(index + 1, 'message')}.",
                on_click=chat_actions.fork,
                args=(page.session_id, index + 1),
            )
            if isinstance(entry.content, str):
                _edit(page, index, entry)


def _edit(page: Page, index: int, entry: Message) -> None:
    """A panel in which the message can be changed. The change is stored in a fork."""
    name = f"{page.session_id}:{index}"
    panel = st.popover(
        "Edit in a fork", icon=":material/edit:", type="tertiary", key=f"edit_panel:{name}", on_change="rerun"
    )
    if not panel.open:
        return
    with panel, st.form(f"edit:{name}", border=False):
        field, follows, later = f"edited:{name}", f"edit_follows:{name}", len(page.history) - index - 1
        ends = "Let the model answer it" if entry.role == "user" else "End the fork there"
        st.text_area("The message in the fork", utf8_safe(entry.text), key=field, height=160)
        choices = [ends, f"Keep the {numbers.plural(later, 'message')} after it as they are"] if later else [ends]
        st.radio("What follows it", choices, key=follows)
        st.form_submit_button(
            "Create the fork",
            type="primary",
            on_click=actions.fork_with_edit,
            args=(page.session_id, index, field, follows, ends),
        )
