"""What the lab found, as files, and a file put back on the page.

The rule: a file names the settings, the versions and the conversation's SHA-256, and never holds a key; one that cannot be read
is refused with a reason, and changes nothing.
"""

from __future__ import annotations

import time

import streamlit as st

from lib.errors import ImportRefused
from lib.lab.bakeoff import BakeOff
from lib.lab.facts import suggested
from lib.lab.recall.run import Probe
from lib.lab.report import csv_rows
from lib.lab.report.report import Cliffs, Recall, Report, ReportHeader, history_sha256, read, write
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.trim_lab.conversation import Lab

BIGGEST = 5_000_000
"""Bytes of a report that is read back."""


def download_cliffs(lab: Lab, cliffs: Cliffs) -> None:
    """The cliff map as files."""
    _buttons(
        lab, Report(_about(lab), cliffs=(cliffs,)), csv_rows.csv_text(csv_rows.cliff_rows(cliffs.made)), "cliff-map"
    )


def download_bakeoff(lab: Lab, made: BakeOff) -> None:
    """The bake-off as files."""
    facts = tuple(fact for fact in suggested(lab.history) if fact.index in made.facts)
    _buttons(
        lab,
        Report(_about(lab), facts=facts, bake_off=made),
        csv_rows.csv_text(csv_rows.bake_off_rows(made, facts)),
        "bake-off",
    )


def download_probe(lab: Lab, probe: Probe) -> None:
    """The probe's answers as files."""
    asked = tuple(dict.fromkeys(ask.arm for ask in probe.asks))
    facts = tuple(dict.fromkeys(ask.fact for ask in probe.asks))
    recall = Recall(asked, probe.results, len(probe.asks))
    _buttons(
        lab,
        Report(_about(lab), facts=facts, recall=recall),
        csv_rows.csv_text(csv_rows.answer_rows(probe.results)),
        "recall-probe",
    )


def _about(lab: Lab) -> ReportHeader:
    return ReportHeader.now(lab.history, sorted(lab.muted), sorted(lab.pinned))


def _buttons(lab: Lab, report: Report, csv: str, name: str) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            csv.encode(),
            f"{name}.csv",
            "text/csv",
            icon=":material/download:",
            key=f"{name}:csv",
            type="tertiary",
            on_click="ignore",
        )
        st.download_button(
            "Report, to be opened again",
            lambda: write(report).encode(),
            f"{name}.json",
            "application/json",
            icon=":material/download:",
            key=f"{name}:json",
            type="tertiary",
            on_click="ignore",
            help=(
                "With settings, versions and the conversation's SHA-256; without the conversation, and without any key."
            ),
        )


def opened(lab: Lab) -> Report | None:
    """The report a person put on the page, with what it is about; None where there is none."""
    file = st.file_uploader(
        "A report that was saved here or elsewhere", type="json", key="lab_report", max_upload_size=BIGGEST // 1_000_000
    )
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
    about = report.about
    same = about.history_sha256 == history_sha256(lab.history)
    st.markdown(
        f"**A report about {numbers.plural(about.messages, 'message')}, made"
        f" {time.strftime('%d %B %Y, %H:%M', time.localtime(about.made_at))}"
        f"{', the conversation that is open' if same else '; another conversation than the open one, or it went on since'}.**"
    )
    made_by = ", ".join(f"{as_markdown(name)} {as_markdown(number)}" for name, number in about.versions.items())
    st.caption(f"Messages' SHA-256 `{about.history_sha256[:16]}…` · {made_by} · {as_markdown(about.prices)}")
    return report
