"""The trim lab: one conversation under many strategies and budgets."""

import streamlit as st

from lib.ui import setup
from lib.ui.trim_lab import view

page = setup("trim_lab")

st.header("Trim lab", anchor=False)
lab = view.load(page)
if lab is not None:
    view.headline(lab)
    view.sections(lab)
