"""The tab "Open a report": shows a saved report, from the file alone."""

from __future__ import annotations

import streamlit as st

from lib.context import STRATEGIES
from lib.lab.bakeoff import BakeOff
from lib.lab.report.report import Cliffs, Recall, Report
from lib.tokens import provenance_label
from lib.ui.components import tables
from lib.ui.format.text import as_markdown
from lib.ui.trim_lab import bakeoff, recall_grid, report_files
from lib.ui.trim_lab.conversation import UNCACHED_HELP, Lab


def draw(lab: Lab) -> None:
    """Draw the upload, then everything that is in the report."""
    report = report_files.upload(lab)
    if report is None:
        st.caption(
            "Each tab can save its results as a report. Opening one here stores nothing, and works on any machine."
        )
        return
    for cliffs in report.cliffs:
        _cliffs(cliffs)
    if report.bake_off is not None:
        _bake_off(report, report.bake_off)
    if report.recall is not None:
        _recall(report.recall)


def _cliffs(cliffs: Cliffs) -> None:
    import pandas as pd

    st.subheader("Cliff map", anchor=False)
    strategy, who = cliffs.entry.settings.strategy, provenance_label(cliffs.provenance)
    short = STRATEGIES[strategy].short if strategy in STRATEGIES else strategy
    st.caption(f"“{short}”, {len(cliffs.made.budgets)} budgets, tokens by {as_markdown(cliffs.counter)} ({who})")
    rows = [[start + 1, stop, budget] for start, stop, budget in cliffs.made.survivals()]
    frame = pd.DataFrame(rows, columns=["from message", "to message", f"sent from this budget on, {who}"])
    tables.show(
        frame.astype("Int64"), f"report-cliffs-{strategy}", "From which budget on each message is sent, in tokens"
    )


def _bake_off(report: Report, result: BakeOff) -> None:
    st.subheader("Bake-off", anchor=False)
    st.markdown(bakeoff.takeaway(result), help=UNCACHED_HELP)
    sentences = {fact.index: fact.text for fact in report.facts}
    names = [f"{index + 1} · {sentences.get(index, 'message')}" for index in result.facts]
    bakeoff.show(result, names, "report")


def _recall(recall: Recall) -> None:
    st.subheader("Recall probe", anchor=False)
    stopped = recall.asked > len(recall.answers)
    recall_grid.draw(recall.answers, recall.arms, stopped=stopped, key="report")
