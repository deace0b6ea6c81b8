"""The tokens page: how each request grew, who counted, what it cost."""

import streamlit as st

from lib.ui import setup, tokens_view

page = setup("tokens")

st.header("Tokens and money", anchor=False)
view = tokens_view.load(page)
if view is not None:
    tokens_view.headline(view)
    tokens_view.sections(view)
