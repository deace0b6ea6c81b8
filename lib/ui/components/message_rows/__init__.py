"""Messages, one line each: who, first words, tokens, and whether it is sent; a line opens to the whole message.

A stretch of messages that share a fate can stand in one line, which a click opens. Texts reach the browser as data and
never as HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

from lib.history import Mark
from lib.ui.components import palette
from lib.ui.components.message_parts.views import PartView
from lib.ui.shell import session

_COMPONENT = st.components.v2.component(
    "windowseat_message_rows",
    html='<div id="rows" class="rows" role="list" aria-label="Messages"></div>',
    css=palette.CSS_VARIABLES + Path(__file__).with_name("style.css").read_text("utf-8"),
    js=Path(__file__).with_name("view.js").read_text("utf-8"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One side of an open message: as it is seen, stored or sent. `note` is drawn instead of a text that would only
    repeat another cell, or that is not there. `parts` are drawn instead of a text where a message is more than one."""

    title: str
    text: str = ""
    note: str = ""
    code: bool = False
    gone: bool = False
    """The message is not in this request: the note is drawn on hatching."""
    parts: tuple[PartView, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One line. `tokens` and `running` are words with their provenance, `why` is the whole reason.

    `index` is the stored index of the message, None for what is not a stored message. A line without cells does not
    open. `stretch` is the index of the first message of a stretch that this line stands for, `is_open` whether its
    messages follow.
    """

    index: int | None
    name: str
    colour: str
    words: str
    tokens: str
    included: bool
    tag: str = ""
    cells: tuple[Cell, ...] = ()
    running: str = ""
    why: str = ""
    markable: bool = False
    mark: str | None = None
    stretch: int | None = None
    is_open: bool = False


def draw(
    rows: Sequence[MessageRow],
    key: str,
    chosen: int | None = None,
    on_mark: Callable[[int, Mark | None], None] | None = None,
    on_stretch: Callable[[int, bool], None] | None = None,
) -> None:
    """Draw the rows here. `chosen` is the stored index to open and scroll to. A click on pin or mute calls `on_mark`
    with the stored index and the new mark; one on a stretch calls `on_stretch` with its first index and whether it is
    open now."""

    def marked() -> None:
        click = session.triggered(key, "marked")
        if on_mark is not None and click:
            on_mark(int(click["index"]), click["mark"])

    def stretched() -> None:
        click = session.triggered(key, "stretched")
        if on_stretch is not None and click:
            on_stretch(int(click["start"]), bool(click["open"]))

    _COMPONENT(
        data={"chosen": chosen, "rows": [asdict(row) for row in rows]},
        key=key,
        on_marked_change=marked,
        on_stretched_change=stretched,
    )
