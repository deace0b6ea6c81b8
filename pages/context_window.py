"""The context-window page: for one turn, every stored message, whether it was sent, its size and why."""

import streamlit as st

from lib.ui import setup, turn_view

page = setup("context_window")

st.header("Context window", anchor=False)
turn = turn_view.pick(page)
if turn is not None:
    view = turn_view.load(page, turn)
    turn_view.show(view)
