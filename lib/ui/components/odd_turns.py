"""Says which turns have figures or records that cannot be used, and what is the matter with each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.turns import Turn
from lib.ui.format.text import as_markdown

SHOWN = 3
"""Turns whose note is drawn; the others are counted."""


def draw(turns: Sequence[Turn]) -> None:
    """One line for each turn with a note; nothing if there is none."""
    odd = [turn for turn in turns if turn.note]
    lines = [f":material/warning: Turn {turn.number}: {as_markdown(turn.note)}" for turn in odd[:SHOWN]]
    if len(odd) > SHOWN:
        lines.append(f"{len(odd) - SHOWN:,} more turns have such values.")
    if lines:
        st.caption("  \n".join(lines))
