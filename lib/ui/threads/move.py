"""Moving a conversation: this chat to a server that keeps it, and what a server keeps back to a chat of one's own.

The rule: nothing is lost in silence: what cannot move is named first, and where it came from it stays.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

import streamlit as st

from lib.errors import ChatError
from lib.messages import Message
from lib.server_history import Approach
from lib.server_history.comparison import Comparison
from lib.server_history.transfer import Transfer, adopted, prepare_transfer
from lib.turns import LiveTurn, Turn
from lib.ui.format import numbers
from lib.ui.format.text import drawable
from lib.ui.shell import services, session
from lib.ui.shell.page import Page
from lib.ui.threads import places


def draw(page: Page, side: Comparison, approaches: Sequence[Approach]) -> None:
    """There, and back."""
    line = session.take_flash()
    if line is not None:
        st.info(line)
    _there(page, side, approaches)
    _back(page, side, approaches)


def _there(page: Page, side: Comparison, approaches: Sequence[Approach]) -> None:
    st.subheader("This chat, to a server", anchor=False)
    if not page.history:
        st.caption("This chat is empty: talk in the chat first, or bring a column back below.")
        return
    luggage = prepare_transfer(page.history)
    st.markdown(f"**{numbers.plural(len(luggage.messages), 'message')} can move.**{_left(luggage)}")
    able = [approach for approach in approaches if approach != "responses"]
    if "responses" in approaches:
        st.caption(
            "A chain of responses cannot begin with messages that are there already: each turn is answered as it is"
            " added."
        )
    with st.container(horizontal=True):
        for approach in able:
            st.button(
                f"To “{places.NAMES[approach]}”",
                icon=":material/upload:",
                key=f"move:{approach}",
                disabled=side.busy,
                on_click=_move,
                args=(side, approach, luggage),
            )


def _left(luggage: Transfer) -> str:
    return "".join(f" {sentence}" for sentence in luggage.left) or " Nothing has to stay behind."


def _move(side: Comparison, approach: Approach, luggage: Transfer) -> None:
    """For callbacks."""
    try:
        handle = adopted(side.column(approach).open_server_history(), side.system_prompt, luggage.messages)
        side.adopt(approach, handle, luggage.messages)
        side.column(approach).note(f"This chat was moved here: {numbers.plural(len(luggage.messages), 'message')}.")
    except ChatError as error:
        session.flash(f"{error.what} {error.safe} {error.next_step}")
        return
    session.flash(
        f"Moved {numbers.plural(len(luggage.messages), 'message')} to “{places.NAMES[approach]}”. Ask it something"
        " there."
    )


def _back(page: Page, side: Comparison, approaches: Sequence[Approach]) -> None:
    st.subheader("What a server keeps, to a chat of your own", anchor=False)
    begun = [state.approach for state in side.states(approaches) if state.handle is not None]
    if not begun:
        st.caption("No column was begun yet.")
        return
    with st.container(horizontal=True):
        for approach in begun:
            st.button(
                f"Bring “{places.NAMES[approach]}” back",
                icon=":material/download:",
                key=f"back:{approach}",
                disabled=side.busy,
                on_click=_bring,
                args=(page, side, approach),
            )
    kept = st.session_state.get("brought")
    if kept:
        session_id, messages, left = kept
        st.markdown(
            f"**{numbers.plural(messages, 'message')} were read from the server and stored as a new chat.** {left}"
        )
        st.button(
            "Open that chat",
            icon=":material/forum:",
            key="open_brought",
            on_click=session.open_session,
            args=(session_id,),
        )


def _bring(page: Page, side: Comparison, approach: Approach) -> None:
    """Read what the server holds, and store it as a session of its own. For callbacks."""
    try:
        exported = side.column(approach).export()
        luggage = prepare_transfer([message for message in exported if not message.is_system])
        session_id = stored(page, luggage.messages)
    except ChatError as error:
        session.flash(f"{error.what} {error.safe} {error.next_step}")
        return
    left = " ".join(luggage.left) or "The system prompt went along; ids and times of the server did not."
    st.session_state["brought"] = [session_id, len(luggage.messages), drawable(left)]


def stored(page: Page, messages: Sequence[Message]) -> str:
    """A new session that holds these messages, with the settings of this one; its id. Raises ChatError."""
    store, session_id = services.chat().store, str(uuid.uuid4())
    settings = page.settings
    first = next((message.text for message in messages if message.role == "user"), "Brought back")
    live = LiveTurn(first, settings, "moved", time.time())
    store.begin(session_id, live)
    turn = Turn(live.id, first, "", "complete", settings.provider, settings.model, settings.system_prompt, time.time())
    store.commit(session_id, live.id, messages, turn)
    store.save_settings(session_id, settings.to_dict())
    return session_id
