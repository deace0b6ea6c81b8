"""The line that says what was just deleted, with a button that brings it back. It goes by itself after ten seconds."""

from __future__ import annotations

import math

import streamlit as st

from lib.ui.format.text import as_label
from lib.ui.sessions import actions, state
from lib.ui.shell import session


def draw() -> None:
    """What the last action left to say, and the undo while it is possible."""
    line = session.take_flash()
    if line:
        st.warning(as_label(line, 600), icon=":material/info:")
    if state.deleted() is not None:
        _offer()


@st.fragment(run_every=1)
def _offer() -> None:
    deleted = state.deleted()
    if deleted is None:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="undo"):
        title = as_label(deleted.title, 60) or "untitled"
        st.markdown(f":material/delete: **{title}** was deleted.", width="content")
        st.button(
            f"Undo ({math.ceil(deleted.seconds_left)} s)",
            icon=":material/undo:",
            key="undo_delete",
            on_click=actions.undo_delete,
            args=(deleted,),
        )
