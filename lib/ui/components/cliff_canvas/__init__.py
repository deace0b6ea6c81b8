"""Draws the cliff map: messages from left to right, budgets from bottom to top, and the conversation beside it.

The browser has the decision of every budget, so moving the line greys the conversation without a rerun. What each
budget decides is computed in lib/lab/cliff_map.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from lib.ui.components import palette

_COMPONENT = st.components.v2.component(
    "windowseat_cliff_map",
    html='<div id="cliff" class="cliff"></div>',
    css=palette.CSS_VARIABLES + Path(__file__).with_name("style.css").read_text(encoding="utf-8"),
    js=Path(__file__).with_name("view.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What can become of a message: a key, its name and colour in the legend, and whether such messages are sent."""

    key: str
    name: str
    colour: str
    sent: bool


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget. `runs` are (start, stop, key of a Fate) over stored indexes; `summary` is shown when it is chosen."""

    runs: list[tuple[int, int, str]]
    fits: bool
    summary: str


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """A message in the list beside the map. `index` is its stored index."""

    index: int
    name: str
    text: str
    fact: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A triangle on the map: below this row, something about the message at `index` breaks."""

    index: int
    row: int
    colour: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A number on an axis. `at` is a part of the axis' length, from the left or from the bottom."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Axes:
    """The ticks of both axes, their names, and the budget that the chat has now."""

    budgets: Sequence[Tick]
    messages: Sequence[Tick]
    budget_name: str
    message_name: str
    present: Tick


def draw(
    rows: Sequence[BudgetRow],
    messages: Sequence[ListedMessage],
    fates: Sequence[Fate],
    marks: Sequence[Mark],
    axes: Axes,
    *,
    size: int,
    start: int,
    more: str,
    label: str,
    key: str,
) -> None:
    """Draw the map of `size` messages with the line on row `start`; `more` says which messages are not listed."""
    data: dict[str, Any] = {
        "rows": [asdict(row) for row in rows],
        "messages": [asdict(message) for message in messages],
        "fates": [asdict(fate) for fate in fates],
        "marks": [asdict(mark) for mark in marks],
        "axes": asdict(axes),
        "size": size,
        "start": start,
        "more": more,
        "label": label,
        "colours": {"line": palette.OVER.colour, "over": palette.OVER.colour, "outline": "#ffffff"},
    }
    _COMPONENT(data=data | {"stamp": stamp(data)}, key=key)


def stamp(data: Mapping[str, Any]) -> str:
    """A short hash of a drawing: while it stays the same, the browser keeps the line where the reader put it."""
    return hashlib.sha256(json.dumps(data, default=str).encode()).hexdigest()[:16]
