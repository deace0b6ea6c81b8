"""The list of sessions: for each one its title, which opens it, and a line with what it took."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from lib.analysis.session_costs import cost_of
from lib.history.sessions import SessionRow
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.sessions import row_words, state, tabs
from lib.ui.shell import services, session


def draw(rows: Sequence[SessionRow], open_id: str) -> None:
    """One entry for each of these rows; the open one is bold."""
    life, now = services.settings().session_ttl, time.time()
    with st.container(gap="xsmall", key="session_rows"):
        for row in rows:
            with st.container(gap=None, key=f"row:{row.session_id}"):
                st.button(
                    row_words.title_of(row, open_id),
                    key=f"show:{row.session_id}",
                    type="tertiary",
                    on_click=_open,
                    args=(row.session_id,),
                    help="The open chat" if row.session_id == open_id else "Open this chat",
                )
                st.caption(facts(row, life, now))


def facts(row: SessionRow, life: float, now: float) -> str:
    """Markdown. Example: "gpt-5-mini · 6 messages · 189 tokens in, 36 out (billed) · $0.0042 · 2 minutes ago ·
    ▰▰▰▰▱ 20 h left · 1.2 KB · this app". `life` and `now` are seconds."""
    messages = "messages that cannot be counted" if row.messages is None else numbers.plural(row.messages, "message")
    parts = (
        as_label(row.model) or "model not known",
        messages,
        row_words.tokens(row),
        row_words.cost_words(cost_of(row, services.find_model)).replace("$", "\\$"),
        numbers.ago(now - row.last_activity),
        row_words.time_left(row, life),
        numbers.stored_size(row.size),
        as_label(row_words.origin_of(row)),
        _notice(row),
    )
    return " · ".join(part for part in parts if part)


def _notice(row: SessionRow) -> str:
    """What happened in it, with an icon, so that it stands out in a long list."""
    happened = row_words.happened(row)
    return f":material/info: {happened}" if happened else ""


def _open(session_id: str) -> None:
    session.open_session(session_id)
    state.show_tab(tabs.OPEN)
