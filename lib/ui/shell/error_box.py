"""Tells people about errors: what happened, what is safe, what to do next, in that order."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lib.errors import ChatError, CorruptHistory, HistoryUnavailable
from lib.ui.format.text import as_markdown
from lib.ui.shell import services, session

RAW_SHOWN = 4_000
"""Bytes of an unreadable value that are shown."""


def show(error: ChatError, *, wait: bool = True) -> None:
    """Draw an error here. An unreadable value is shown as it is; while the store is away, the page waits for it.

    Without `wait` the error stays, also when the store answers again: for what a person has to do once more.
    """
    if wait and isinstance(error, HistoryUnavailable):
        watch_for_recovery()
    lines = [f"**{as_markdown(error.what)}**", as_markdown(error.safe), as_markdown(error.next_step)]
    draw = st.warning if error.retryable else st.error
    draw("  \n".join(line for line in lines if line.strip("*")), icon=":material/error:")
    if isinstance(error, CorruptHistory):
        if error.where:
            st.caption(f"Where: {as_markdown(error.where)}")
        st.code(error.raw[:RAW_SHOWN].decode("utf-8", "backslashreplace"), language=None, wrap_lines=True)
        if len(error.raw) > RAW_SHOWN:
            st.caption(f"The first {RAW_SHOWN:,} of {len(error.raw):,} bytes.")


def attempt(act: Callable[[], object]) -> bool:
    """Do what a button asks for; whether it worked. If not, a line says why at the next rerun. For callbacks."""
    try:
        act()
    except ChatError as error:
        session.flash(f"{error.what} {error.safe} {error.next_step}")
        return False
    return True


@st.fragment(run_every=1)
def watch_for_recovery() -> None:
    """Try the store every second, and redraw the page when it answers again."""
    try:
        services.chat().store.ping()
    except ChatError:
        return
    st.rerun()
