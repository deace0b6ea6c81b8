"""A saved report, opened: the same tables and curves as when it was made, from the file alone.

The rule: what is drawn is what the file says; where the open conversation is another one, its messages are not mixed in.
"""

from __future__ import annotations

import streamlit as st

from lib.context import STRATEGIES
from lib.lab.report.report import Cliffs, Report
from lib.ui.components import tables
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.trim_lab import bakeoff, recall, report_files
from lib.ui.trim_lab.conversation import Lab


def draw(lab: Lab) -> None:
    """The file, then everything that is in it."""
    report = report_files.opened(lab)
    if report is None:
        st.caption(
            "Each tab saves what it found as a report. Open one here, also on another machine: nothing is stored."
        )
        return
    for cliffs in report.cliffs:
        _cliffs(cliffs)
    if report.bake_off is not None:
        st.subheader("Bake-off", anchor=False)
        st.markdown(bakeoff.takeaway(report.bake_off))
        bakeoff.show(report.bake_off, _names(report), "report")
    if report.recall is not None:
        st.subheader("Recall probe", anchor=False)
        missing = report.recall.asked > len(report.recall.answers)
        recall.shown(report.recall.answers, cancelled=missing, key="report")


def _names(report: Report) -> list[str]:
    """Facts as the report calls them; by their place where it says no more."""
    said = {fact.index: fact.text for fact in report.facts}
    assert report.bake_off is not None
    return [f"{at + 1} · {said.get(at, 'message')}" for at in report.bake_off.facts]


def _cliffs(cliffs: Cliffs) -> None:
    import pandas as pd

    label = (
        STRATEGIES[cliffs.entry.settings.strategy].label
        if cliffs.entry.settings.strategy in STRATEGIES
        else cliffs.entry.settings.strategy
    )
    st.subheader("Cliff map", anchor=False)
    mark = numbers.mark(cliffs.provenance)
    st.caption(f"“{label}”, {len(cliffs.made.budgets)} budgets, tokens by {as_markdown(cliffs.counter)} ({mark})")
    rows = [[start + 1, stop, survives] for start, stop, survives in cliffs.made.survivals()]
    frame = pd.DataFrame(rows, columns=["from message", "to message", f"sent from this budget on, {mark}"])
    tables.show(
        frame.astype("Int64"),
        f"report-cliffs-{cliffs.entry.settings.strategy}",
        "From which budget on each message is sent, in tokens",
    )
