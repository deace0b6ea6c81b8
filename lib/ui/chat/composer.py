"""The bottom of the chat page: how full the context window will be, and the box to type in.

The box is always there and keeps its text, whatever happens to the store, the provider or the page.
"""

from __future__ import annotations

import streamlit as st

from lib.context.plan import ContextPlan
from lib.errors import HistoryUnavailable
from lib.tokens import PROVENANCE_TEXT
from lib.ui.chat import actions, forgetting, read_only, spending, welcome
from lib.ui.components import window_strip
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import session
from lib.ui.shell.page import Page


def draw(page: Page, plan: ContextPlan | None, demonstration: forgetting.Shown | None = None) -> None:
    """Draw the gauge and the chat input at the bottom of the page, and what a demonstration has to say above them."""
    # one container for everything that comes and goes, so that the input keeps its place and its draft
    with st.bottom, st.container(gap="xsmall", key="gauge"):
        _moment(page)
        spending.warn(page)
        read_only.draw(page)
        with st.container(gap=None, key="demonstration"):  # always there, so that nothing below it changes its place
            if demonstration is not None:
                forgetting.draw(page, demonstration)
        if plan is not None:
            _gauge(page, plan)
    # outside st.bottom, where it goes by itself: only then does the page follow a growing reply
    st.chat_input(
        welcome.placeholder(page) if page.may_write else read_only.placeholder(page),
        key=session.PROMPT,
        disabled=not page.may_write,
        on_submit=actions.send_typed,
        args=(page.session_id, page.settings),
    )


def _moment(page: Page) -> None:
    """Say why the last click failed (unless the page says so above), and whether a message is being edited."""
    line = session.take_flash()
    if line is not None and not isinstance(page.error, HistoryUnavailable):
        st.warning(as_markdown(line), icon=":material/error:")
    if session.editing() is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Editing your last message: sending replaces it. The earlier version stays stored.")
            st.button("Cancel", key="cancel_edit", type="tertiary", on_click=actions.cancel_edit)


def _gauge(page: Page, plan: ContextPlan) -> None:
    """Draw the thin strip, one line of text, the legend, and Stop while a reply is being written."""
    fill = window_strip.fill_of_plan(plan)
    window_strip.draw(fill)
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
        which = "This" if page.live is not None else "Next"
        st.caption(sentence(plan, which) + spending.next_words(page, plan), width="stretch")
        if page.live is not None and not page.live.interrupted and page.may_write:
            st.button(
                "Stop",
                icon=":material/stop_circle:",
                key="stop",
                type="tertiary",
                on_click=actions.stop,
                args=(page.session_id,),
            )
        if st.button(":small[Legend]", type="tertiary", key="legend"):
            _legend(fill, plan)


def sentence(plan: ContextPlan, which: str = "Next") -> str:
    """Example: "Next request: 177 (counted) of 400 tokens; 16 messages will be dropped, 4 of them in a batch down to
    224 tokens"."""
    about = "about " if plan.provenance == "estimated" else ""
    sent = f"{about}{plan.input_tokens:,}" if about else numbers.tokens(plan.input_tokens, plan.provenance)
    words = f"{which} request: {sent} of {plan.window.max_tokens:,} tokens"
    if not plan.fits:
        return f"{words}; :red[more than the {plan.window.input_budget:,} that fit in the window]"
    if plan.left_out_count:
        verb = "will be" if which == "Next" else "are"
        words += (
            f"; {about}{numbers.plural(plan.left_out_count, 'message')} {verb} dropped{window_strip.in_batch(plan)}"
        )
    if plan.fallback is not None and which == "Next" and plan.fallback.is_summarized_first:
        return f"{words}, and summarized first, in a request of its own"
    if plan.fallback is not None:
        return f"{words}. {plan.fallback.text}"
    return words


@st.dialog("What the bar shows")  # a popover would open below the bar, where there is no room
def _legend(fill: window_strip.Fill, plan: ContextPlan) -> None:
    st.markdown(
        "**The context window** is how much text the model can hold at once: everything it is sent, plus its reply."
        " Models remember nothing between requests, so the conversation is sent again each time, until it no longer"
        " fits."
    )
    window_strip.draw(fill, tall=True, legend=True)
    st.caption("The bar shows the next request as it would be now, before you type.")
    st.caption(f"Sizes are in tokens. {PROVENANCE_TEXT[plan.provenance]}")
