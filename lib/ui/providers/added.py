"""Keeps the endpoints that people added on a page, for all threads of this process."""

from __future__ import annotations

import streamlit as st

from lib.settings import Endpoint
from lib.ui.shell.last_used import LastUsed

KEPT = 1_000


@st.cache_resource(show_spinner=False)
def endpoints() -> LastUsed[Endpoint]:
    """By name; the one used longest ago goes first. Which browser session offers which is in its state.

    They are not in a browser session, because a turn's thread cannot read one. Keys that were typed are.
    """
    return LastUsed(KEPT)
