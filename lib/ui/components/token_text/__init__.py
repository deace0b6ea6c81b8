"""Draws a text as its tokens, piece by piece in alternating colours.

Colour is not the only signal: every piece has an edge, and gives its number and id to a pointer and a screen reader.
Cutting a text is in lib/tokens/vocabularies, and paging is in lib/ui/tokens/tokenizer_panel.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from lib.messages import utf8_safe
from lib.ui.components import palette

COLOURS = [part.colour for part in (palette.HISTORY, palette.PINNED, palette.NEWEST, palette.REPLY, palette.OVER)]

_COMPONENT = st.components.v2.component(
    "windowseat_tokens",
    html='<div id="tokens" class="tokens" role="group" dir="auto"></div>',
    css=Path(__file__).with_name("style.css").read_text(encoding="utf-8"),
    js=Path(__file__).with_name("view.js").read_text(encoding="utf-8"),
)


def draw(pieces: Sequence[tuple[str, int | None]], *, key: str, first: int = 0, ids: bool = False) -> None:
    """Draw pieces (text, id). `first` is the number of tokens before them; `ids` shows each id below its piece."""
    data = {
        "pieces": [[utf8_safe(text), token] for text, token in pieces],
        "first": first,
        "ids": ids,
        "label": f"{len(pieces)} tokens, from number {first + 1} on",
        "colours": COLOURS,
    }
    _COMPONENT(data=data, key=key)
