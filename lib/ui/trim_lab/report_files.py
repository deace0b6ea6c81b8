"""Offers the lab's results as files, and reads a report that the user uploads.

A file names the settings, the versions and the conversation's SHA-256, and never holds a key.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st

from lib.analysis.csv_file import csv_bytes
from lib.errors import ImportRefused
from lib.lab.bakeoff import BakeOff
from lib.lab.facts import suggest_facts
from lib.lab.recall.run import Probe
from lib.lab.report import csv_tables
from lib.lab.report.report import Cliffs, Recall, Report, ReportHeader, history_sha256, read, write
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.trim_lab.conversation import Lab

if TYPE_CHECKING:
    import pandas as pd

LARGEST_MB = 5
"""The largest report that can be uploaded, in MB."""


def download_cliffs(lab: Lab, cliffs: Cliffs) -> None:
    """Offer the cliff map as files."""
    _buttons(Report(_header(lab), cliffs=(cliffs,)), csv_tables.cliffs(cliffs.made), "cliff-map")


def download_bakeoff(lab: Lab, result: BakeOff) -> None:
    """Offer the bake-off as files."""
    facts = tuple(fact for fact in suggest_facts(lab.history) if fact.index in result.facts)
    _buttons(Report(_header(lab), facts=facts, bake_off=result), csv_tables.turns(result, facts), "bake-off")


def download_probe(lab: Lab, probe: Probe) -> None:
    """Offer the probe's answers as files."""
    arms = tuple(dict.fromkeys(question.arm for question in probe.questions))
    facts = tuple(dict.fromkeys(question.fact for question in probe.questions))
    recall = Recall(arms, probe.results, len(probe.questions))
    _buttons(Report(_header(lab), facts=facts, recall=recall), csv_tables.answers(probe.results), "recall-probe")


def _header(lab: Lab) -> ReportHeader:
    return ReportHeader.now(lab.history, lab.marks)


def _buttons(report: Report, table: pd.DataFrame, name: str) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: csv_bytes(table),
            f"{name}.csv",
            "text/csv",
            icon=":material/download:",
            key=f"{name}:csv",
            type="tertiary",
            on_click="ignore",
        )
        st.download_button(
            "Save report",
            lambda: write(report).encode(),
            f"{name}.json",
            "application/json",
            icon=":material/download:",
            key=f"{name}:json",
            type="tertiary",
            on_click="ignore",
            help=(
                "Can be opened again in this lab. Holds settings, versions and the conversation's SHA-256, but neither"
                " the conversation nor any key."
            ),
        )


def upload(lab: Lab) -> Report | None:
    """Let the user upload a report and say what it is about. None if there is none or it is refused."""
    file = st.file_uploader("Saved report", type="json", key="lab_report", max_upload_size=LARGEST_MB)
    if file is None:
        return None
    try:
        report = read(file.getvalue().decode("utf-8", errors="replace"))
    except ImportRefused as error:
        st.error(
            f"{as_markdown(error.what)} {as_markdown(error.safe)} {as_markdown(error.next_step)}",
            icon=":material/error:",
        )
        return None
    _describe(report.about, is_open=report.about.history_sha256 == history_sha256(lab.history))
    return report


def _describe(header: ReportHeader, *, is_open: bool) -> None:
    """Say which conversation a report is about, and what it was made with."""
    which = (
        "the conversation that is open"
        if is_open
        else "another conversation than the open one, or an earlier state of it"
    )
    made_at = time.strftime("%d %B %Y, %H:%M", time.localtime(header.made_at))
    st.markdown(f"**A report about {numbers.plural(header.messages, 'message')}, made {made_at}: {which}.**")
    versions = ", ".join(f"{as_markdown(name)} {as_markdown(number)}" for name, number in header.versions.items())
    st.caption(f"Messages' SHA-256 `{header.history_sha256[:16]}…` · {versions} · {as_markdown(header.prices)}")
