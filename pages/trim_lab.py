"""The trim lab: one conversation under many strategies and budgets."""

import streamlit as st

from lib.ui import lab_view, setup

page = setup("trim_lab")

st.header("Trim lab", anchor=False)
lab = lab_view.load(page)
if lab is not None:
    lab_view.headline(lab)
    lab_view.sections(lab)
