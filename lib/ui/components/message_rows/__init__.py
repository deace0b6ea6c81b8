"""Messages in three aligned columns, row by row: by default what you see, what is stored, what was sent.

A message that was not sent stays in its place, hatched, with the reason. Texts reach the browser as data and never as
HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

from lib.history import Mark
from lib.ui.components import palette
from lib.ui.shell import session

_COMPONENT = st.components.v2.component(
    "windowseat_message_rows",
    html='<div id="rows" class="rows" role="list" aria-label="Messages"></div>',
    css=palette.CSS_VARIABLES + Path(__file__).with_name("style.css").read_text("utf-8"),
    js=Path(__file__).with_name("view.js").read_text("utf-8"),
)


@dataclass(frozen=True, slots=True)
class Columns:
    """The heads of the columns, and which of them show code."""

    names: tuple[str, str, str]
    code: tuple[bool, bool, bool]


SEEN_STORED_SENT = Columns(("What you see", "What is stored", "What was sent"), (False, True, True))


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message. `tokens` and `running` are sentences with their provenance; a cell is None where the message is not
    in the request, and `why` is shown there. `index` is None for what is not a stored message."""

    index: int | None
    name: str
    colour: str
    cells: tuple[str | None, ...]
    tokens: str
    included: bool
    tag: str = ""
    running: str = ""
    why: str = ""
    markable: bool = False
    mark: str | None = None


def draw(
    rows: Sequence[MessageRow],
    key: str,
    columns: Columns = SEEN_STORED_SENT,
    chosen: int | None = None,
    on_mark: Callable[[int, Mark | None], None] | None = None,
) -> None:
    """Draw the rows here. `chosen` is the stored index to scroll to; a click on pin or mute calls `on_mark` with the
    stored index and the new mark."""

    def marked() -> None:
        click = session.triggered(key, "marked")
        if on_mark is not None and click:
            on_mark(int(click["index"]), click["mark"])

    _COMPONENT(
        data={
            "columns": list(columns.names),
            "code": list(columns.code),
            "chosen": chosen,
            "rows": [asdict(row) for row in rows],
        },
        key=key,
        on_marked_change=marked,
    )
