"""The bottom of the chat page: how full the context window will be, and the box to type in.

The box is always there and keeps its text, whatever happens to the store, the provider or the page.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from lib.context.plan import ContextPlan
from lib.errors import ChatError, HistoryUnavailable
from lib.messages import Message
from lib.planner import plan_next
from lib.tokens import ESTIMATE, PROVENANCE_TEXT, TokenCounter, provenance_label
from lib.tokens.ledger import TokenLedger
from lib.ui.chat import actions
from lib.ui.components import window_strip
from lib.ui.format import numbers
from lib.ui.shell import services, session
from lib.ui.shell.page import Page

LONG_TO_COUNT = 2_000_000
"""Characters that are counted in about half a second. The page does not wait for more."""
DROPPED_FOR_AGE = ("over_budget", "outside_window", "middle", "summarized")
"""Reasons that follow from a message's age. The transcript draws its line after the newest of these."""


def preview(page: Page) -> ContextPlan | None:
    """Plan the next request: with the message that is being answered or waits, or else with an empty new message.

    There is always a new message, because no stored message may push it out.
    """
    if page.error is not None:
        return None
    try:
        return planned(page, _counter(page))
    except ChatError:  # the server that counts is away: use the estimate until it is back
        return planned(page, ESTIMATE)


def _counter(page: Page) -> TokenCounter:
    """The chat's counter; the estimate while a text is counted for the first time that takes long to count."""
    if page.chat is None:
        return ESTIMATE
    counter = services.counter_of(page.settings)
    ledger = page.chat.ledger(page.session_id, counter)
    if sum(len(message.text) for message in ledger.uncounted(page.history)) <= LONG_TO_COUNT:
        return counter
    if not ledger.counting:
        threading.Thread(target=_count, args=(ledger, page.history), daemon=True, name="count").start()
    return ESTIMATE


def _count(ledger: TokenLedger, history: Sequence[Message]) -> None:
    """Count so that the next drawing has the sizes. For a thread."""
    with suppress(ChatError):  # the server that counts is away: whoever asks next is told
        ledger.sync(history)


def planned(page: Page, counter: TokenCounter) -> ContextPlan:
    """The same by this counter."""
    replaced = page.live.replaces if page.live else session.editing()
    ledger = page.chat.ledger(page.session_id, counter) if page.chat is not None else TokenLedger(counter)
    prompt = page.live.prompt if page.live else ""
    return plan_next(page.settings, page.about.marks.muting(replaced), page.history, prompt, ledger)


def first_sent(plan: ContextPlan | None) -> int | None:
    """Stored index of the first message after those dropped at the beginning; None if none are."""
    if plan is None:
        return None
    cut = max((run.stop for run in plan.runs if not run.included and run.reason in DROPPED_FOR_AGE), default=0)
    return cut - plan.candidates.preamble if cut else None


def draw(page: Page, plan: ContextPlan | None) -> None:
    """Draw the gauge and the chat input at the bottom of the page."""
    # one container for everything that comes and goes, so that the input keeps its place and its draft
    with st.bottom, st.container(gap="xsmall", key="gauge"):
        _moment(page)
        if plan is not None:
            _gauge(page, plan)
    # outside st.bottom, where it goes by itself: only then does the page follow a growing reply
    st.chat_input("Message", key=session.PROMPT, on_submit=actions.send_typed, args=(page.session_id, page.settings))


def _moment(page: Page) -> None:
    """Say why the last click failed (unless the page says so above), and whether a message is being edited."""
    line = session.take_flash()
    if line is not None and not isinstance(page.error, HistoryUnavailable):
        st.warning(line, icon=":material/error:")
    if session.editing() is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Editing your last message: sending replaces it. The earlier version stays stored.")
            st.button("Cancel", key="cancel_edit", type="tertiary", on_click=actions.cancel_edit)


def _gauge(page: Page, plan: ContextPlan) -> None:
    """Draw the thin strip, one line of text, the legend, and Stop while a reply is being written."""
    fill = window_strip.fill_of_plan(plan)
    window_strip.draw(fill)
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
        st.caption(sentence(plan, "This" if page.live is not None else "Next"), width="stretch")
        if page.live is not None and not page.live.interrupted:
            st.button(
                "Stop",
                icon=":material/stop_circle:",
                key="stop",
                type="tertiary",
                on_click=actions.stop,
                args=(page.session_id,),
            )
        panel = st.popover(
            "", icon=":material/help:", type="tertiary", key="legend", on_change="rerun", help="What the bar shows"
        )
        if panel.open:
            with panel:
                _legend(fill, plan)


def sentence(plan: ContextPlan, which: str = "Next") -> str:
    """Example: "Next request: ~412 of 2,048 tokens (~estimated); 8 messages will be dropped"."""
    sent = numbers.tokens(plan.input_tokens, plan.provenance)
    words = f"{which} request: {sent} of {plan.window.max_tokens:,} tokens"
    if not plan.fits:
        return f"{words}; :red[more than the {plan.window.input_budget:,} that fit in the window]"
    if plan.left_out_count:
        verb = "will be" if which == "Next" else "are"
        words += f"; {numbers.plural(plan.left_out_count, 'message')} {verb} dropped"
    if plan.fallback is not None and which == "Next" and plan.fallback.is_summarized_first:
        return f"{words}, and summarized first, in a request of its own"
    if plan.fallback is not None:
        return f"{words}. {plan.fallback.text}"
    return words


def _legend(fill: window_strip.Fill, plan: ContextPlan) -> None:
    st.markdown(
        "**The context window** is how much text the model can hold at once: everything it is sent, plus its reply."
        " Models remember nothing between requests, so the conversation is sent again each time, until it no longer"
        " fits."
    )
    window_strip.draw(fill, tall=True, legend=True)
    st.caption("The bar shows the next request before you type your new message.")
    st.caption(f"Sizes are tokens, {provenance_label(plan.provenance)}: {PROVENANCE_TEXT[plan.provenance]}")
