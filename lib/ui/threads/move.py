"""Moves a conversation: the open chat to a server that keeps it, and a server's conversation to a new chat.

What cannot move is named before the move, and the original stays where it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from lib.errors import ChatError
from lib.server_history import Approach
from lib.server_history.comparison import Comparison
from lib.server_history.transfer import Transfer, adopt, prepare_transfer
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import services, session
from lib.ui.shell.page import Page
from lib.ui.threads import places, state


def draw(page: Page, comparison: Comparison, approaches: Sequence[Approach]) -> None:
    """Both directions."""
    note = session.take_flash()
    if note is not None:
        st.info(as_markdown(note))
    _export_section(page, comparison, approaches)
    _import_section(page, comparison, approaches)


def _export_section(page: Page, comparison: Comparison, approaches: Sequence[Approach]) -> None:
    st.subheader("This chat, to a server", anchor=False)
    if not page.history:
        st.caption("This chat is empty: talk in the chat first, or bring a column back below.")
        return
    transfer = prepare_transfer(page.history)
    left_behind = " ".join(transfer.left_behind) or "Nothing is left behind."
    st.markdown(f"**{numbers.plural(len(transfer.messages), 'message')} can be moved.** {as_markdown(left_behind)}")
    if "responses" in approaches:
        st.caption("A chain of responses cannot start from existing messages: each turn is answered as it is added.")
    able = [approach for approach in approaches if approach != "responses"]
    _buttons(comparison, able, "To “{}”", ":material/upload:", "move", partial(_export, comparison, transfer))


def _export(comparison: Comparison, transfer: Transfer, approach: Approach) -> None:
    """Move the chat to a server. For callbacks."""
    lane, moved = comparison.lane(approach), numbers.plural(len(transfer.messages), "message")
    try:
        handle = adopt(lane.open_server_history(), comparison.system_prompt, transfer.messages)
    except ChatError as error:
        session.flash(f"{error.what} {error.safe} {error.next_step}")
        return
    comparison.adopt(approach, handle, transfer.messages)
    comparison.lane(approach).note(f"This chat was moved here: {moved}.")
    session.flash(f"Moved {moved} to “{places.NAMES[approach]}”. Ask it something there.")


def _import_section(page: Page, comparison: Comparison, approaches: Sequence[Approach]) -> None:
    st.subheader("A server's conversation, to a chat of your own", anchor=False)
    begun = [lane.approach for lane in comparison.states(approaches) if lane.handle is not None]
    if not begun:
        st.caption("No column has a conversation yet.")
        return
    _buttons(comparison, begun, "Bring “{}” back", ":material/download:", "back", partial(_import, page, comparison))
    imported = state.imported_chat()
    if imported is not None:
        count = numbers.plural(imported.message_count, "message")
        st.markdown(f"**{count} were read from the server and stored as a new chat.** {as_markdown(imported.note)}")
        st.button(
            "Open that chat",
            icon=":material/forum:",
            key="threads_open_imported",
            on_click=session.open_session,
            args=(imported.session_id,),
        )


def _import(page: Page, comparison: Comparison, approach: Approach) -> None:
    """Read what the server holds, and store it as a new chat. For callbacks."""
    try:
        exported = comparison.lane(approach).export()
        transfer = prepare_transfer([message for message in exported if not message.is_system])
        session_id = str(uuid.uuid4())
        source = f"“{places.NAMES[approach]}”"
        services.chat().import_messages(session_id, transfer.messages, page.settings, source)
    except ChatError as error:
        session.flash(f"{error.what} {error.safe} {error.next_step}")
        return
    note = " ".join(transfer.left_behind) or "The system prompt came along; ids and times of the server did not."
    state.set_imported_chat(session_id, len(transfer.messages), note)


def _buttons(
    comparison: Comparison,
    approaches: Sequence[Approach],
    label: str,
    icon: str,
    key: str,
    move: Callable[[Approach], None],
) -> None:
    """One button per approach; `label` has a placeholder for its name."""
    with st.container(horizontal=True):
        for approach in approaches:
            st.button(
                label.format(places.NAMES[approach]),
                icon=icon,
                key=f"{key}:{approach}",
                disabled=comparison.busy,
                on_click=move,
                args=(approach,),
            )
