"""The list of chats in a file, to choose from: ten at a time, with a search, and what of each cannot come in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from lib.transfer import EFFECT_TEXT
from lib.transfer.opened import Opened, Row
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_option
from lib.ui.shell import session
from lib.ui.transfer import state

ROWS = 10
"""Chats on one page of the list."""
FEW = 5
"""Up to so many chats need no search."""


def draw(found: Opened) -> None:
    """The list, its buttons, and the problems of the chats that are shown."""
    rows = _searched(found.rows) if len(found.rows) > FEW else list(found.rows)
    able = [row.number for row in rows if not row.refusal]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Select all", key="import_all", on_click=state.choose, args=(able, True))
        st.button("Select none", key="import_none", on_click=state.choose, args=(able, False))
        of = f"of {len(rows):,} found " if len(rows) < len(found.rows) else ""
        st.caption(f"{len(state.chosen() & set(able)):,} {of}selected")
    pages = max(1, -(-len(rows) // ROWS))
    place = _page(pages) if pages > 1 else 1
    shown = rows[(place - 1) * ROWS : place * ROWS]
    for row in shown:
        _row(row)
    if not rows:
        st.caption("No chat has this in its title.")
    _problems(found, shown)


def _searched(rows: Sequence[Row]) -> list[Row]:
    """The rows whose titles hold what a person looks for, in any case."""
    wanted = st.text_input("Search in titles", key=state.SEARCH, icon=":material/search:").strip().casefold()
    return [row for row in rows if wanted in row.title.casefold()]


def _page(pages: int) -> int:
    session.start_widget(state.PAGE, 1)
    session.turn_page(state.PAGE, pages, None, 1)
    return st.pagination(pages, key=state.PAGE)


def _row(row: Row) -> None:
    """One chat: its title to choose it by, and a line about it."""
    key = f"import_row:{row.number}"
    session.set_widget(key, row.number in state.chosen())
    with st.container(gap=None):
        st.checkbox(
            as_label(row.title, 80),
            key=key,
            disabled=bool(row.refusal),
            on_change=state.choose,
            args=((row.number,), row.number not in state.chosen()),
        )
        st.caption(_about(row))


def _about(row: Row) -> str:
    """Example: "branch 2 of 3 · 14 messages · 3 March 2025 · 2 with losses · 1 does not come in"."""
    if row.refusal:
        return f":material/block: Does not come in. {as_label(row.refusal, 200)}"
    parts = [row.branch, numbers.plural(row.messages, "message")]
    parts += [
        numbers.plural(row.turns, "turn") + " with its plan" * (row.turns == 1) + " with their plans" * (row.turns > 1)
    ]
    parts = [part for part in parts if part and not part.startswith("0 turns")]
    if row.created_at is not None:
        parts.append(f"{datetime.fromtimestamp(row.created_at, UTC):%-d %B %Y}")
    if row.lost:
        parts.append(f"{numbers.plural(row.lost, 'part')} lost")
    if row.skipped:
        parts.append(f"{numbers.plural(row.skipped, 'message')} left behind")
    return " · ".join(parts)


def _problems(found: Opened, shown: Sequence[Row]) -> None:
    """What of the shown chats is lost, one line for each: its place, role and reason."""
    odd = [row for row in shown if row.lost or row.skipped]
    if not odd:
        return
    panel = st.expander("What is lost, and why", icon=":material/rule:", key="import_problems", on_change="rerun")
    if not panel.open:
        return
    lines = []
    for row in odd:
        read = found.read(row)
        lines += [
            {
                "chat": as_option(row.title, 60),
                "role": each.role,
                "what": as_option(each.reason, 200),
                "result": EFFECT_TEXT[each.effect],
                "where": as_option(each.where, 160),
            }
            for each in read.problems
        ]
        if read.more_problems:
            lines.append({"chat": as_option(row.title, 60), "what": f"{read.more_problems:,} more"})
    panel.dataframe(lines, hide_index=True, key="import_lost", alt="What cannot come in, with its place and reason.")
