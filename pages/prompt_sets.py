"""Prompt sets: many prompts on several models, what it costs, and which model passes most."""

import streamlit as st

from lib.ui import setup
from lib.ui.prompt_sets import comparison, intro, new_run, results, saved, state

page = setup("prompt_sets")
intro.draw()
new, outcome, kept, comparing = st.tabs(state.TABS, key=state.TAB, on_change="rerun", bind="query-params")

if new.open:
    with new:
        new_run.draw()

if outcome.open:
    with outcome:
        results.draw()

if kept.open:
    with kept:
        saved.draw()

if comparing.open:
    with comparing:
        comparison.draw()
