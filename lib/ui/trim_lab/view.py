"""The trim lab: one conversation under many strategies and budgets.

The rule: the conversation is only read. What asks a model is a button that says so, and what it brings is kept in the browser
session alone, and in files a person downloads.
"""

from __future__ import annotations

import streamlit as st

from lib.analysis.requests import MessageSizes
from lib.errors import ChatError
from lib.lab.example import EXAMPLE
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.ui.components import message_sizes
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.shell import services, session
from lib.ui.shell.page import Page
from lib.ui.trim_lab import bakeoff, cliff_map, costs, recall, report_view
from lib.ui.trim_lab.conversation import Lab

CLIFF, BAKE_OFF, RECALL, COSTS = "Cliff map", "Bake-off", "Recall probe", "What trimming costs"
REPORT = "Open a report"
EXAMPLE_NAME = "example"
SESSIONS = 30


def load(page: Page) -> Lab | None:
    """The conversation that was picked, with its sizes. None where the page is in trouble, which is said above."""
    if page.chat is None or page.error is not None:
        return None
    chosen = _pick(page)
    if chosen == EXAMPLE_NAME:
        counter = _counter(page)
        return Lab(page, EXAMPLE, MessageSizes(counter, EXAMPLE, TokenLedger(counter)), (), (), example=True)
    return Lab(page, page.history, message_sizes.own_sizes(page), page.about.muted, page.about.pinned)


def headline(lab: Lab) -> None:
    """What is looked at, in one sentence."""
    whole = lab.sizes.between(0, len(lab.history))
    st.markdown(
        f"**{numbers.plural(len(lab.history), 'message')}, {numbers.sized(whole, lab.sizes.provenance)}.** Nothing here"
        " is sent to a model unless a button says so, and the conversation stays as it is."
    )


def sections(lab: Lab) -> None:
    """The tabs; only the open one is drawn."""
    tabs = st.tabs([CLIFF, BAKE_OFF, RECALL, COSTS, REPORT], key="lab_tab", on_change="rerun")
    for tab, draw in zip(tabs, (cliff_map.draw, bakeoff.draw, recall.draw, costs.draw, report_view.draw), strict=True):
        if tab.open:
            with tab:
                draw(lab)


def _pick(page: Page) -> str:
    """The open session, another stored one, or the example."""
    names: dict[str, str] = {}
    if page.history:
        names[page.session_id] = f"This chat: {as_label(page.about.title) or 'untitled'}"
    assert page.chat is not None
    try:
        for entry in page.chat.store.sessions(SESSIONS):
            names.setdefault(entry.session_id, as_label(entry.title) or "untitled")
    except ChatError as error:
        st.caption(f":material/info: {error.what}")
    names[EXAMPLE_NAME] = f"An example: planning a trip ({len(EXAMPLE)} messages)"
    key = f"lab_session:{page.session_id}"
    if st.session_state.get(key) not in names:
        st.session_state[key] = next(iter(names)) if page.history else EXAMPLE_NAME
    return st.selectbox(
        "Conversation",
        list(names),
        key=key,
        format_func=lambda name: names.get(name, name),
        on_change=_open,
        args=(key,),
    )


def _open(key: str) -> None:
    """Another stored session becomes the open one. For callbacks."""
    chosen = st.session_state[key]
    if chosen != EXAMPLE_NAME:
        session.open_session(chosen)


def _counter(page: Page) -> TokenCounter:
    try:
        return services.asked_counter(page.settings)
    except ChatError:
        return ESTIMATE
