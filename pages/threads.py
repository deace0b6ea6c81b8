"""Who keeps the history: the same chat through several approaches, side by side."""

import streamlit as st

from lib.ui import setup
from lib.ui.threads import view

page = setup("threads")

st.header("Who keeps the history", anchor=False)
shown = view.load(page)
if shown is not None:
    view.sections(shown)
