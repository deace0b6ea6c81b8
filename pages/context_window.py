"""The context-window page: for one request, every message: seen, stored, sent, and why; and what the next one would hold."""

import streamlit as st

from lib.ui import setup
from lib.ui.context_window import view

page = setup("context_window")

st.header("Context window", anchor=False)
shown = view.load(page)
if shown is not None:
    view.sections(shown)
