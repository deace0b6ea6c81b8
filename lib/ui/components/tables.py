"""Draws the tables below charts: collapsed, with formatted numbers and a CSV download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from lib.analysis.csv_file import csv_bytes

if TYPE_CHECKING:
    import pandas as pd

CHART = {"displayModeBar": False, "scrollZoom": False}
"""Plotly's settings: no toolbar over the figure, and scrolling over it scrolls the page."""


def draw(
    frame: pd.DataFrame, name: str, alt: str, *, title: str = "Table", columns: dict[str, Any] | None = None
) -> None:
    """Draw a table in an expander, with its download."""
    panel = st.expander(title, icon=":material/table:", key=f"table:{name}", on_change="rerun")
    if not panel.open:
        return
    with panel:
        show(frame, name, alt, columns=columns)


def show(frame: pd.DataFrame, name: str, alt: str, *, columns: dict[str, Any] | None = None) -> None:
    """Draw a table with its download. `name` is the file's and the widgets' name."""
    st.dataframe(frame, hide_index=True, key=f"frame:{name}", alt=alt, column_config=_formats(frame) | (columns or {}))
    st.download_button(
        "CSV",
        csv_bytes(frame),
        f"{name}.csv",
        "text/csv",
        icon=":material/download:",
        key=f"csv:{name}",
        type="tertiary",
        on_click="ignore",
    )


def visible_range(items: Sequence[object], most: int, key: str) -> slice:
    """Let the user pick a range when there are more than `most` items; at first the newest."""
    if len(items) <= most:
        return slice(0, len(items))
    first, last = st.slider(
        "Requests in the chart",
        1,
        len(items),
        (len(items) - most + 1, len(items)),
        key=key,
        help="The table and the sums always include all of them.",
    )
    return slice(first - 1, last)


def _formats(frame: pd.DataFrame) -> dict[str, Any]:
    """Column settings: thousands separators, signed percentages."""
    formats: dict[str, Any] = {}
    for name in frame.columns:
        kind = str(frame[name].dtype)
        if name.endswith("%"):
            formats[name] = st.column_config.NumberColumn(name, format="%+.1f %%")
        elif kind.lower().startswith("int"):
            formats[name] = st.column_config.NumberColumn(name, format="localized")
    return formats
