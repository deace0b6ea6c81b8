"""The context-window page: for one request, every message: seen, stored, sent, and why; and what the next one would hold."""

import streamlit as st

from lib.ui import flight_view, setup

page = setup("context_window")

st.header("Context window", anchor=False)
view = flight_view.load(page)
if view is not None:
    flight_view.sections(view)
