"""The search box and the filters above the list of sessions. Their values are part of the address."""

from __future__ import annotations

import streamlit as st

from lib.context import STRATEGIES
from lib.history.sessions import SessionQuery
from lib.ui.components import strategy_fields
from lib.ui.format import numbers
from lib.ui.providers import own
from lib.ui.sessions import state
from lib.ui.sessions.state import ANY
from lib.ui.shell import services

HOUR = 3600
AGES: dict[str, tuple[float | None, float | None]] = {
    state.ANY_TIME: (None, None),
    "The last hour": (HOUR, None),
    "The last 24 hours": (numbers.DAY, None),
    "The last 7 days": (7 * numbers.DAY, None),
    "Before the last 24 hours": (None, numbers.DAY),
    "Before the last 7 days": (None, 7 * numbers.DAY),
}
"""By what the choice is called: used at most, and at least, so many seconds ago."""
DROPPED, FAILED, YOURS = "Something was dropped", "Failed or interrupted", "Only yours"
MOST_CHARACTERS = 200


def draw() -> SessionQuery:
    """The filters, and what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        text = st.text_input(
            "Search",
            key=state.TEXT,
            type="search",
            placeholder="Words in a title or in a message",
            max_chars=MOST_CHARACTERS,
            width=300,
            bind="query-params",
        )
        model = st.selectbox(
            "Model", _models(), key=state.MODEL, accept_new_options=True, width=170, bind="query-params"
        )
        strategy = st.selectbox(
            "Strategy",
            [ANY, *(each.short for each in STRATEGIES.values())],
            key=state.STRATEGY,
            help=strategy_fields.NAMES_HELP,
            width=150,
            bind="query-params",
        )
        age = st.selectbox("Last used", list(AGES), key=state.AGE, width=190, bind="query-params")
        asking = services.asking()
        only = st.pills(
            "Only chats in which",
            [DROPPED, FAILED, *([YOURS] if asking.sees_all and asking.id else [])],
            key=state.ONLY,
            selection_mode="multi",
            wrap=True,
            bind="query-params",
        )
    newer, older = AGES[age]
    return SessionQuery(
        text=text.strip(),
        model="" if model in (ANY, None) else model,
        strategy=next((name for name, each in STRATEGIES.items() if each.short == strategy), ""),
        dropped=DROPPED in only,
        failed=FAILED in only,
        owner=asking.id if YOURS in only else None,
        newer_than=newer,
        older_than=older,
    )


def _models() -> list[str]:
    """The models to choose from: those of the endpoints, those that were listed, and the one that is chosen."""
    names = [each.model for each in own.offered().values()]
    return [
        ANY,
        *dict.fromkeys(name for name in (*names, *state.seen_models(), state.chosen_model()) if name not in ("", ANY)),
    ]
