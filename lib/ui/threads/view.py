"""The page of who keeps the history: where, which ways, what is asked; then columns, ledger, drills, moving, reference.

The rule: nothing is sent before a person asks; everything the replica returns is called by its name. Another tab's columns are its
own, and ids are kept with the session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lib.server_history import Approach
from lib.server_history.comparison import Comparison
from lib.ui.shell.page import Page
from lib.ui.threads import columns, drills, ledger, move, places, reference

LIVE, DRILLS, MOVE, REFERENCE = "Side by side", "Drills", "Move a conversation", "What to know"
STARTERS: tuple[Approach, ...] = ("manual", "conversations", "assistants")
SCRIPT = (
    "What is the capital of France?",
    "Which river flows through it?",
    "Name one famous building there.",
    "What language do people speak there?",
    "What was my first question?",
    "Thank you. Say goodbye.",
)
"""Chosen by trying: the small model answers these shortly, and "it" and "there" need the history."""


@dataclass(frozen=True, slots=True)
class ThreadsView:
    """The columns that were chosen, at one place."""

    page: Page
    side: Comparison
    approaches: Sequence[Approach]


def load(page: Page) -> ThreadsView | None:
    """Where and which. None where the page is in trouble, which is said above."""
    if page.chat is None or page.error is not None:
        return None
    st.markdown(
        "A model remembers nothing. Either your app **sends the conversation again** every turn, or a **server keeps"
        " it** and your app sends only what is new. Ask once, and watch both."
    )
    left, right = st.columns([1, 2])
    offered = places.places()
    with left:
        where = st.selectbox(
            "Where", list(offered), key="threads_where", format_func=lambda name: offered.get(name, name)
        )
    known = places.approaches(where)
    with right:
        picked = st.multiselect(
            "Ways to keep it",
            known,
            default=[name for name in STARTERS if name in known],
            key=f"threads_ways:{where}",
            format_func=places.NAMES.__getitem__,
            placeholder="Choose two or more",
        )
    if where == places.REPLICA:
        st.caption(
            "The replica is a small server inside this app that really keeps conversations, as OpenAI's and Anthropic's"
            " servers do, with the model on this machine behind it. Nothing leaves this machine."
        )
    chosen = tuple(name for name in known if name in picked)
    return ThreadsView(page, places.side_of(page, where), chosen)


def sections(view: ThreadsView) -> None:
    """The tabs; only the open one is drawn."""
    if not view.approaches:
        st.info("Choose at least one way to keep the history.")
        return
    tabs = st.tabs([LIVE, DRILLS, MOVE, REFERENCE], key="threads_tab", on_change="rerun")
    for tab, draw in zip(tabs, (_live, _drills, _move, _reference), strict=True):
        if tab.open:
            with tab:
                draw(view)


def _live(view: ThreadsView) -> None:
    """What is asked, then the columns and their ledger."""
    _ask(view)
    if view.side.trouble:
        st.warning(view.side.trouble, icon=":material/error:")
    columns.draw(view.side, view.approaches)
    ledger.draw(view.page, view.side, view.approaches)


def _ask(view: ThreadsView) -> None:
    """A line to type, a script, or the messages of this chat."""
    side, busy = view.side, view.side.busy
    with (
        st.form("threads_form", clear_on_submit=True, border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        text = st.text_input("Ask all of them", placeholder="One message, sent to every column", key="threads_text")
        sent = st.form_submit_button("Send", icon=":material/send:", disabled=busy)
    if sent and text.strip():
        side.ask(view.approaches, text)
        st.rerun()
    own = [message.text for message in view.page.history if message.role == "user" and message.text.strip()]
    with st.container(horizontal=True):
        st.button(
            f"Run a script of {len(SCRIPT)} turns",
            icon=":material/play_arrow:",
            key="threads_script",
            disabled=busy,
            on_click=side.script,
            args=(view.approaches, SCRIPT),
            help=" · ".join(SCRIPT),
        )
        if own:
            st.button(
                f"Run the {len(own)} messages of this chat",
                icon=":material/forum:",
                key="threads_own",
                disabled=busy,
                on_click=side.script,
                args=(view.approaches, own[:20]),
            )
        st.button(
            "Begin anew",
            icon=":material/restart_alt:",
            key="threads_restart",
            disabled=busy,
            on_click=side.restart,
            args=(view.approaches,),
            type="tertiary",
            help="Empty columns. What servers keep stays there until it is deleted.",
        )


def _drills(view: ThreadsView) -> None:
    drills.draw(view.page, view.side, view.approaches)


def _move(view: ThreadsView) -> None:
    move.draw(view.page, view.side, view.approaches)


def _reference(view: ThreadsView) -> None:
    reference.draw()
