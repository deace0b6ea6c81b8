"""The turn that is being answered: following it, and deciding when it was interrupted.

The rule: the page only looks. It follows a record that a thread somewhere owns, so a refresh, another tab or another process
sees the same reply, and leaving the page changes nothing.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace

import streamlit as st

from lib.chat.service import ChatService
from lib.errors import ChatError, ContextOverflow, HistoryUnavailable, RuleBroken
from lib.messages import user
from lib.turns import LiveTurn
from lib.ui.chat import actions, transcript
from lib.ui.components import rule_verdict
from lib.ui.format.text import as_markdown
from lib.ui.shell.page import Page

SENDING_TOO_MUCH = ("none", "source_trim")
"""Strategies that may pass the budget where leaving out the oldest would not."""
REFRESH_SECONDS = 0.5
"""An unchanged reply is drawn again this often: a draw is where Streamlit lets a click interrupt the page."""


def draw(page: Page) -> None:
    """The live turn in the slots its two messages will have once they are stored."""
    live, chat = page.live, page.chat
    if live is None or chat is None:
        return
    transcript.message(user(live.prompt), key="live-prompt")
    with st.chat_message("assistant", avatar=transcript.AVATARS["assistant"]):
        slot = st.empty()
        if live.interrupted:
            slot.markdown(as_markdown(live.text) if live.text else ":gray[(no reply)]")
        else:
            _follow(chat, page.session_id, live, slot)
    if live.interrupted:
        _decide(page, live)


def _follow(chat: ChatService, session_id: str, live: LiveTurn, slot: st.delta_generator.DeltaGenerator) -> None:
    """Draw the reply as it grows, then the whole page again."""
    if not live.text:
        _waiting(live, slot)
    drawn, drawn_at = "", time.monotonic()
    try:
        for state in chat.follow(session_id, live.id):
            if state.text and (state.text != drawn or time.monotonic() - drawn_at > REFRESH_SECONDS):
                slot.markdown(as_markdown(state.text) + " ▌")
                drawn, drawn_at = state.text, time.monotonic()
            elif not state.text:
                _waiting(state, slot)
    except HistoryUnavailable:
        pass  # the redraw below says so, and comes back when the store does
    st.rerun()


def _waiting(live: LiveTurn, slot: st.delta_generator.DeltaGenerator) -> None:
    """Before the first word."""
    if live.phase == "summarizing":
        slot.caption("Summarizing the oldest messages, which no longer fit…")
    else:
        slot.skeleton(height=48)


INTERRUPTED = ChatError(
    "The reply was interrupted: the app that was answering it went away.",
    safe="Your message and everything that had come are kept.",
    next_step="Retry it, keep what came, edit it, or discard it.",
)


def _decide(page: Page, live: LiveTurn) -> None:
    """What went wrong, and what can be done with the message."""
    settings = page.settings
    error = live.error or INTERRUPTED
    st.warning(
        "  \n".join([f"**{as_markdown(error.what)}**", as_markdown(error.safe), as_markdown(error.next_step)]),
        icon=":material/error:",
    )
    if isinstance(error, RuleBroken):
        rule_verdict.of_live(page, live)
    arguments = (page.session_id, live)
    with st.container(horizontal=True, key="decide"):
        if isinstance(error, ContextOverflow | RuleBroken):
            if settings.strategy in SENDING_TOO_MUCH:
                shorter = replace(settings, strategy="oldest_first")
                st.button(
                    "Leave out the oldest, then send",
                    key="leave_out",
                    type="primary",
                    on_click=actions.switch_strategy,
                    args=(*arguments, shorter),
                )
            st.button(
                "Send it anyway",
                key="anyway",
                on_click=actions.retry,
                args=(*arguments, settings, True),
                help="Send the whole request and see what the provider says.",
            )
        st.button("Retry", key="retry", icon=":material/refresh:", on_click=actions.retry, args=(*arguments, settings))
        if live.text:
            st.button("Keep what came", key="keep", icon=":material/check:", on_click=actions.keep, args=arguments)
        st.button("Edit", key="edit", icon=":material/edit:", on_click=actions.edit_interrupted, args=arguments)
        st.button("Discard", key="discard", icon=":material/delete:", on_click=actions.discard, args=arguments)


def watch(page: Page) -> None:
    """Redraw the page when another tab, process or service changed this session."""
    if page.chat is not None and page.trouble is None:
        _tick(page, itertools.count())


@st.fragment(run_every=2)
def _tick(page: Page, ticks: Iterator[int]) -> None:
    """Look whether anything changed since the page was drawn; not while it is being drawn (the first time)."""
    if next(ticks) == 0 or page.chat is None:
        return
    try:
        live = page.chat.live(page.session_id)
        size = len(page.chat.store.load(page.session_id))
    except ChatError:
        st.rerun()
    # a tick only comes while no script follows the reply: Streamlit's own Stop ended that, or it began elsewhere
    unfollowed = live is not None and not live.interrupted
    if unfollowed or state_of(live) != state_of(page.live) or size != len(page.history):
        st.rerun()


def state_of(live: LiveTurn | None) -> tuple[str, bool] | None:
    """What decides how a live turn is drawn."""
    return None if live is None else (live.id, live.interrupted)
