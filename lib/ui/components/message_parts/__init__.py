"""Draws the parts of a message as what they are: a call with its arguments, a folded result, a small picture.

Nothing is fetched, and nothing is drawn as HTML: a picture is made from the data in the message, and an address stands
there as text.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import streamlit as st

from lib.ui.components import whole_text
from lib.ui.components.message_parts.views import SEALED, PartView
from lib.ui.format.text import as_label, as_markdown, cut

ICONS = {"call": ":material/build:", "result": ":material/output:", "image": ":material/image:"}
ICONS |= {"reasoning": ":material/psychology:", "other": ":material/draft:"}
SHORT = 120
"""Characters of an argument that stands in the table; longer ones, and those of several lines, get a box each."""
HEIGHT = 240
"""Pixels of an open result."""


def draw(views: Sequence[PartView], key: str) -> None:
    """The parts, one below the other."""
    if not views:
        st.markdown(":gray[(empty)]")
    for place, view in enumerate(views):
        name = f"{key}-part-{place}"
        if view.kind == "text":
            _text(view, name)
        elif view.kind == "call":
            _call(view)
        elif view.kind == "image":
            _image(view)
        else:
            _folded(view, name)


def _text(view: PartView, key: str) -> None:
    beginning, rest = cut(view.text)
    st.markdown(as_markdown(beginning) if view.text else ":gray[(empty)]")
    if rest:
        panel = st.popover(f"{rest:,} more characters", key=f"{key}-all", on_change="rerun")
        if panel.open:
            whole_text.draw(panel, view.text, f"{key}-all", 400)


def _call(view: PartView) -> None:
    """The tool's name, short arguments as a table, long ones in boxes."""
    st.markdown(f"{ICONS['call']} **{as_label(view.title, SHORT)}**")
    short = [(name, value) for name, value in view.rows if name and len(value) <= SHORT and "\n" not in value]
    if short:
        lines = [f"| {as_label(name, SHORT)} | {as_label(value, SHORT)} |" for name, value in short]
        st.markdown("\n".join(["| argument | value |", "|---|---|", *lines]))
    for row in view.rows:
        if row not in short:
            if row[0]:
                st.caption(as_label(row[0], SHORT))
            st.code(row[1], language=None, wrap_lines=True)
    if not view.rows:
        st.caption("without arguments")
    _figures(view)


def _image(view: PartView) -> None:
    _pictures(view)
    if not view.pictures:
        st.markdown(f"{ICONS['image']} {as_label(view.title, 200)}")
        if view.text:
            st.code(view.text, language=None, wrap_lines=True)
    _figures(view)


def _folded(view: PartView, key: str) -> None:
    """A result, reasoning, or a part of an unknown kind: its first line, and the whole of it when it is opened."""
    words = as_label(view.title, SHORT)
    line = view.first_line if view.kind != "other" else ""
    if view.text == SEALED:
        st.markdown(f"{ICONS[view.kind]} {words}: :gray[{as_label(SEALED, 200)}]")
    elif view.text:
        label = f"{words}: {as_label(line, SHORT)}" if line else words
        panel = st.expander(label, icon=ICONS[view.kind], key=key, on_change="rerun")
        if panel.open:
            whole_text.draw(panel, view.text, key, HEIGHT)
    else:
        st.markdown(f"{ICONS[view.kind]} {words}{'' if view.pictures else ': :gray[(empty)]'}")
    _pictures(view)
    _figures(view)


def _pictures(view: PartView) -> None:
    for picture in view.pictures:
        st.image(base64.b64decode(picture), alt="An image in this message")


def _figures(view: PartView) -> None:
    """Its tokens, and how often it was sent again."""
    if figures := " · ".join(filter(None, (view.tokens, view.again))):
        st.caption(as_label(figures, 300))
