"""What the tables below charts have in common: collapsed, styled numbers, one CSV file each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd

CHART = {"displayModeBar": False, "scrollZoom": False}
"""No toolbar over the figure, and a finger that scrolls the page scrolls the page."""


def draw(
    frame: pd.DataFrame, name: str, alt: str, *, title: str = "Table", columns: dict[str, Any] | None = None
) -> None:
    """A table that opens, and its download."""
    panel = st.expander(title, icon=":material/table:", key=f"table:{name}", on_change="rerun")
    if not panel.open:
        return
    with panel:
        show(frame, name, alt, columns=columns)


def show(frame: pd.DataFrame, name: str, alt: str, *, columns: dict[str, Any] | None = None) -> None:
    """The table itself, and its download."""
    st.dataframe(frame, hide_index=True, key=f"frame:{name}", alt=alt, column_config=_formats(frame) | (columns or {}))
    st.download_button(
        "CSV",
        csv(frame),
        f"{name}.csv",
        "text/csv",
        icon=":material/download:",
        key=f"csv:{name}",
        type="tertiary",
        on_click="ignore",
    )


def csv(frame: pd.DataFrame) -> bytes:
    """The table as a spreadsheet reads it: text that could be taken for a formula is quoted with an apostrophe."""
    safe = frame.copy()
    for column in safe.columns:
        if safe[column].dtype == "object" or str(safe[column].dtype).startswith("str"):
            safe[column] = [
                f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
                for value in safe[column]
            ]
    return bytes(safe.to_csv(index=False).encode())


def visible_range(items: Sequence[object], most: int, key: str) -> slice:
    """Which of many items are drawn: a slider where there are more than `most`, at first on the newest."""
    if len(items) <= most:
        return slice(0, len(items))
    first, last = st.slider(
        "Requests drawn",
        1,
        len(items),
        (len(items) - most + 1, len(items)),
        key=key,
        help="The table and the sums always hold all of them.",
    )
    return slice(first - 1, last)


def _formats(frame: pd.DataFrame) -> dict[str, Any]:
    """Thousands separated, percentages signed."""
    formats: dict[str, Any] = {}
    for name in frame.columns:
        kind = str(frame[name].dtype)
        if name.endswith("%"):
            formats[name] = st.column_config.NumberColumn(name, format="%+.1f %%")
        elif kind.lower().startswith("int"):
            formats[name] = st.column_config.NumberColumn(name, format="localized")
    return formats
