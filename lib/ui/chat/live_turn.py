"""The turn in progress: follows the reply, and offers what to do when it was interrupted.

The page only looks at a stored record that a thread owns. So a refresh, another tab and another process see the same
reply, and leaving the page changes nothing.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace

import streamlit as st

from lib.chat.service import ChatService
from lib.errors import ChatError, ContextOverflow, HistoryUnavailable, InvalidRequest, NotYours, RuleBroken
from lib.messages import user
from lib.providers.refused_settings import SETTING_WORDS
from lib.turns import LiveTurn
from lib.ui.chat import actions, not_sent, transcript
from lib.ui.components import rule_verdict
from lib.ui.components.reasoning import line as reasoning
from lib.ui.format.text import DRAWN_CHARACTERS, as_markdown
from lib.ui.shell import services
from lib.ui.shell.page import Page

SENDING_TOO_MUCH = ("none", "source_trim")
"""Strategies that may exceed the budget where dropping the oldest would not."""
STORING = (
    "The reply is complete, but the history store does not take it at the moment. It is kept in memory and stored as"
    " soon as that works, if the app keeps running."
)
WATCH_SECONDS, RECORDING_SECONDS = 2, 0.7
"""How often the page looks whether the chat was changed elsewhere; more often while requests of apps are recorded."""
WAITING = 32
"""Pixels of what stands where the reply will be: as high as a line of it with its avatar, so that nothing moves when
reasoning or the first word comes."""
REFRESH_SECONDS = 0.5
"""How often an unchanged reply is drawn again: a click can interrupt the page only when it draws."""


def draw(page: Page) -> None:
    """The live turn, in the slots that its two messages will have once they are stored."""
    live, chat = page.live, page.chat
    if live is None or chat is None:
        return
    transcript.message(user(live.prompt), key="live-prompt")
    with st.chat_message("assistant", avatar=transcript.AVATARS["assistant"]):
        slot = not_sent.text_box("live-reply", grey=False).empty()
        if live.interrupted:
            slot.markdown(_ending(live.text) if live.text.strip() else ":gray[(no reply)]")
            reasoning.draw_unanswered(live.reasoning, "live-reply")
        else:
            _follow(chat, page.session_id, live, slot)
    if live.interrupted:
        _decide(page, live)


def _follow(chat: ChatService, session_id: str, live: LiveTurn, slot: st.delta_generator.DeltaGenerator) -> None:
    """Draw the reply as it grows, then rerun the page."""
    if not live.text:
        _waiting(live, slot)
    drawn, drawn_at, storing = "", time.monotonic(), False
    try:
        for state in chat.follow(session_id, live.id):
            if state.text and (state.text != drawn or time.monotonic() - drawn_at > REFRESH_SECONDS):
                slot.markdown(_ending(state.text) + " ▌")
                drawn, drawn_at = state.text, time.monotonic()
            elif not state.text:
                _waiting(state, slot)
            if state.phase == "storing" and not storing:
                storing = True
                st.caption(STORING)
    except (HistoryUnavailable, NotYours):
        pass  # the rerun below shows the error, and the page comes back when the store does
    st.rerun()


def _ending(text: str) -> str:
    """The reply so far. Of a long one only the end is drawn, which is where it grows."""
    hidden = len(text) - DRAWN_CHARACTERS
    if hidden <= 0:
        return as_markdown(text)
    return f":gray[… {hidden:,} characters before this]\n\n{as_markdown(text[hidden:])}"


def _waiting(live: LiveTurn, slot: st.delta_generator.DeltaGenerator) -> None:
    """What is drawn before the first word."""
    if live.phase == "summarizing":
        slot.caption("Summarizing the oldest messages, which no longer fit…")
    elif live.reasoning:
        with slot.container(height=WAITING, border=False, vertical_alignment="center"):
            st.caption(reasoning.under_way(live.reasoning))
    else:
        slot.skeleton(height=WAITING)


INTERRUPTED = ChatError(
    "The reply was interrupted: the app that was writing it stopped, or cannot write to the history store.",
    safe="Your message and the reply so far are kept.",
    next_step="Retry, keep the partial reply, edit your message, or discard it.",
)


def _decide(page: Page, live: LiveTurn) -> None:
    """What went wrong, and buttons for what to do with the message."""
    settings = page.settings
    error = live.error or INTERRUPTED
    st.warning(
        "  \n".join([f"**{as_markdown(error.what)}**", as_markdown(error.safe), as_markdown(error.next_step)]),
        icon=":material/error:",
    )
    if isinstance(error, RuleBroken):
        rule_verdict.of_live(page, live)
    if live.replaces is not None:
        st.caption("The version before this one is stored. Discard goes back to it.")
    if not page.may_write:
        return
    arguments = (page.session_id, live)
    with st.container(horizontal=True, key="decide"):
        if isinstance(error, ContextOverflow | RuleBroken):
            if settings.strategy in SENDING_TOO_MUCH:
                shorter = replace(settings, strategy="oldest_first")
                st.button(
                    "Drop the oldest, then send",
                    key="leave_out",
                    type="primary",
                    on_click=actions.retry_with,
                    args=(*arguments, shorter),
                )
            st.button(
                "Send it anyway",
                key="anyway",
                on_click=actions.retry,
                args=(*arguments, settings, True),
                help="Send the whole request and see what the provider says.",
            )
        if isinstance(error, InvalidRequest) and error.setting and settings.sets(error.setting):
            _turn_off(page, live, error.setting)
        st.button("Retry", key="retry", icon=":material/refresh:", on_click=actions.retry, args=(*arguments, settings))
        if live.text.strip():
            st.button("Keep partial reply", key="keep", icon=":material/check:", on_click=actions.keep, args=arguments)
        st.button("Edit", key="edit", icon=":material/edit:", on_click=actions.edit_interrupted, args=arguments)
        st.button("Discard", key="discard", icon=":material/delete:", on_click=actions.discard, args=arguments)


def _turn_off(page: Page, live: LiveTurn, setting: str) -> None:
    """The button that turns a refused setting off and sends the message again."""
    without = page.settings.without(setting)
    st.button(
        f"Turn {SETTING_WORDS[setting]} off, then send",
        key="turn_off",
        type="primary",
        on_click=actions.retry_with,
        args=(page.session_id, live, without),
    )


def watch(page: Page) -> None:
    """Rerun the page when another tab, process or service has changed this chat."""
    if page.chat is not None and page.error is None:
        seconds = RECORDING_SECONDS if services.recorder().on else WATCH_SECONDS
        st.fragment(_tick, run_every=seconds)(page, itertools.count())


def _tick(page: Page, ticks: Iterator[int]) -> None:
    """Check whether anything has changed since the page was drawn. The first call comes while it is being drawn."""
    if next(ticks) == 0 or page.chat is None:
        return
    try:
        live = page.chat.live(page.session_id)
        size = len(page.chat.store.load(page.session_id))
    except ChatError:
        st.rerun()
    # ticks come only while no script follows the reply: Streamlit's own Stop ended that script, or the turn began
    # elsewhere
    unfollowed = live is not None and not live.interrupted
    if unfollowed or state_of(live) != state_of(page.live) or size != len(page.history):
        st.rerun()


def state_of(live: LiveTurn | None) -> tuple[str, bool] | None:
    """The part of a live turn that decides how it is drawn."""
    return None if live is None else (live.id, live.interrupted)
