"""Asks every lane the same: one message, a script, or the messages of the open chat."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.server_history import Approach
from lib.server_history.comparison import Comparison
from lib.server_history.recorded import SCRIPT
from lib.ui.format.text import as_markdown
from lib.ui.shell import session
from lib.ui.shell.page import Page
from lib.ui.threads import lanes, state

MOST_OWN_MESSAGES = 20


def draw(page: Page, comparison: Comparison, approaches: Sequence[Approach]) -> None:
    """The form and the buttons, and a warning if ids are not being stored."""
    error = session.take_flash()
    if error is not None:
        st.warning(as_markdown(error), icon=":material/error:")
    _form(comparison, approaches)
    with st.container(horizontal=True):
        st.button(
            f"Run a script of {len(SCRIPT)} turns",
            icon=":material/play_arrow:",
            key="threads_script",
            disabled=comparison.busy,
            on_click=comparison.run_script,
            args=(approaches, SCRIPT),
            help=" · ".join(SCRIPT),
        )
        _own_messages(page, comparison, approaches)
        st.button(
            "Start over",
            icon=":material/restart_alt:",
            key="threads_restart",
            disabled=comparison.busy or not lanes.begun(comparison, approaches),
            on_click=comparison.restart,
            args=(approaches,),
            type="tertiary",
            help="Empties the columns. What servers keep stays there until it is deleted.",
        )
    if comparison.storage_warning:
        st.warning(comparison.storage_warning, icon=":material/error:")


def _form(comparison: Comparison, approaches: Sequence[Approach]) -> None:
    with (
        st.form("threads_form", clear_on_submit=True, border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        text = st.text_input("Ask all of them", placeholder="One message, sent to every column", key=state.PROMPT)
        sent = st.form_submit_button("Send", icon=":material/send:", disabled=comparison.busy)
    if sent and text.strip():
        comparison.ask(approaches, text)
        st.rerun()


def _own_messages(page: Page, comparison: Comparison, approaches: Sequence[Approach]) -> None:
    """A button that runs the user's messages of the open chat, if there are any."""
    own = [message.text for message in page.history if message.role == "user" and message.text.strip()]
    if not own:
        return
    first = own[:MOST_OWN_MESSAGES]
    st.button(
        f"Run the {'first ' if len(own) > len(first) else ''}{len(first)} messages of this chat",
        icon=":material/forum:",
        key="threads_own",
        disabled=comparison.busy,
        on_click=comparison.run_script,
        args=(approaches, first),
    )
