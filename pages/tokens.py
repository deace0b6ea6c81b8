"""The tokens page: how each request grew, who counted, what it cost."""

import streamlit as st

from lib.ui import setup
from lib.ui.tokens import view

page = setup("tokens")

st.header("Tokens and money", anchor=False)
shown = view.load(page)
if shown is not None:
    view.headline(shown)
    view.sections(shown)
