"""Every answer of a run in a table with filters; a click on a row shows the whole of it. Also as files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from lib.prompt_sets import tables
from lib.prompt_sets.runs import OUTCOME_WORDS
from lib.ui.prompt_sets import answer_detail, state
from lib.ui.prompt_sets.carrying_out import Opened

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ["result", "model", "id", "prompt", "expected", "answer", "why", "seconds"]
"""Columns of the table; the files have all of them."""
CUT = 300
"""Characters of a text in the table."""


def draw(found: Opened) -> None:
    """The filters, the table, the chosen answer, and the files."""
    places = sorted(place for place in found.answers if place[0] < len(found.prompts))
    frame = tables.table(found.run, found.prompts, found.answers)
    kept, filters = _filtered(frame, found.run.labels)
    st.caption(f"{len(kept):,} of {len(frame):,} answers. Click a row to read the whole answer and what was sent.")
    shown = kept[SHOWN].map(lambda value: value[:CUT] if isinstance(value, str) else value)
    grid = st.dataframe(
        shown,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"{state.GRID}:{found.run.id}:{len(frame)}:{filters}",  # other rows begin with none chosen
        height=360,
        alt="The answers: whether each passed, the model, the prompt, what was expected and what came",
        column_config={"seconds": st.column_config.NumberColumn("seconds", format="%.1f")},
    )
    _files(frame, found.run.name)
    row = next(iter(grid.selection.rows), None)
    if row is not None and row < len(kept):
        answer_detail.draw(found, places[int(kept.index[row])])


def _filtered(frame: pd.DataFrame, labels: tuple[str, ...]) -> tuple[pd.DataFrame, str]:
    """The rows that match, and the filters as a text."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="answer_filters"):
        models = st.multiselect("Model", labels, key=state.FILTER_MODELS, placeholder="all")
        results = st.multiselect("Result", list(OUTCOME_WORDS.values()), key=state.FILTER_RESULTS, placeholder="all")
        text = st.text_input("Text", key=state.FILTER_TEXT, placeholder="in prompt or answer", max_chars=200)
    if models:
        frame = frame[frame["model"].isin(models)]
    if results:
        frame = frame[frame["result"].isin(results)]
    if text.strip():
        wanted = re.escape(text.strip())
        matches = frame["prompt"].str.contains(wanted, case=False) | frame["answer"].str.contains(wanted, case=False)
        frame = frame[matches.fillna(False).astype(bool)]
    return frame, f"{models}{results}{text}"


def _files(frame: pd.DataFrame, name: str) -> None:
    file = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "answers"
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: tables.as_csv(frame),
            f"{file}.csv",
            "text/csv",
            icon=":material/download:",
            key="answers_csv",
            type="tertiary",
            on_click="ignore",
        )
        st.download_button(
            "Parquet",
            lambda: tables.as_parquet(frame),
            f"{file}.parquet",
            "application/vnd.apache.parquet",
            icon=":material/download:",
            key="answers_parquet",
            type="tertiary",
            on_click="ignore",
        )
