"""Trim lab: one conversation under many strategies and budgets."""

import streamlit as st

from lib.ui import setup
from lib.ui.trim_lab import bakeoff, cliff_map, conversation, costs, recall, report_view

page = setup("trim_lab")
picked = conversation.pick(page)
lab = conversation.load(page, picked)

if lab is not None:
    conversation.headline(lab)

    budgets, strategies, memory, trimming, report = st.tabs(
        [
            "What is lost at which budget?",
            "Which strategy loses least?",
            "Does the model still know?",
            "What does trimming cost?",
            "Open a report",
        ],
        key="lab_tab",
        on_change="rerun",
        bind="query-params",
    )
    if budgets.open:
        with budgets:
            cliff_map.draw(lab)
    if strategies.open:
        with strategies:
            bakeoff.draw(lab)
    if memory.open:
        with memory:
            recall.draw(lab)
    if trimming.open:
        with trimming:
            costs.draw(lab)
    if report.open:
        with report:
            report_view.draw(lab)
