"""Who keeps the history: the same chat through several approaches, side by side."""

import streamlit as st

from lib.ui import setup, threads_view

page = setup("threads")

st.header("Who keeps the history", anchor=False)
view = threads_view.load(page)
if view is not None:
    threads_view.sections(view)
