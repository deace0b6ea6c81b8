"""Below the conversation: how full the window will be, and the box to type in.

The rule: the box is always there and keeps its text, whatever the store, the provider or a rerun does.
"""

from __future__ import annotations

import streamlit as st

from lib.context import plan_context
from lib.context.plan import Candidates, ContextPlan
from lib.errors import ChatError, HistoryUnavailable
from lib.tokens import ESTIMATE, PROVENANCE_TEXT, TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.ui.chat import actions
from lib.ui.components import window_strip
from lib.ui.format import numbers
from lib.ui.shell import services, session
from lib.ui.shell.page import Page

LEFT_BEHIND = ("over_budget", "outside_window", "middle", "summarized")
"""Reasons of what is left out for its age: the line is drawn after the newest of these."""

NOT_YET = ("There is no summary yet", "The summary does not cover")
"""What a plan says as long as nobody made the summary that sending makes first."""


def preview(page: Page) -> ContextPlan | None:
    """What the next request would hold: with the message that is being answered or waits, else with an empty new one.

    A new message is always there, since nothing stored may displace it.
    """
    if page.error is not None:
        return None
    try:
        return _planned(page, services.counter_of(page.settings) if page.chat is not None else ESTIMATE)
    except ChatError:  # the server that counts went away: the estimate stands in until it is back
        return _planned(page, ESTIMATE)


def _planned(page: Page, counter: TokenCounter) -> ContextPlan:
    replaced = page.live.replaces if page.live else session.editing()
    muted = page.about.muted if replaced is None else page.about.muted | {replaced}
    ledger = page.chat.ledger(page.session_id, counter) if page.chat is not None else TokenLedger(counter)
    candidates = Candidates.gather(
        page.settings.system_prompt, page.history, page.live.prompt if page.live else "", ledger
    )
    settings = page.settings
    about = page.about
    return plan_context(
        candidates, settings.window, settings.strategy, muted, about.pinned, settings.options, about.summary
    )


def first_sent(plan: ContextPlan | None) -> int | None:
    """Stored index of the first message after what is left out at the beginning; None when nothing is."""
    if plan is None:
        return None
    lead = plan.candidates.preamble
    cut = max((run.stop for run in plan.runs if not run.included and run.reason in LEFT_BEHIND), default=0)
    return cut - lead if cut else None


def draw(page: Page, plan: ContextPlan | None) -> None:
    """The gauge and the chat input, pinned to the bottom."""
    # one container for all that may come and go, so that the input keeps its place and with it its draft
    with st.bottom, st.container(gap="xsmall", key="gauge"):
        _moment(page)
        if plan is not None:
            _gauge(page, plan)
    # not inside st.bottom (where it goes by itself): only then does the page follow a growing reply
    st.chat_input("Message", key=session.PROMPT, on_submit=actions.send_typed, args=(page.session_id, page.settings))


def _moment(page: Page) -> None:
    """Why the last click did not do what it should (unless the page says so above), and whether a message is being edited."""
    line = session.take_flash()
    if line is not None and not isinstance(page.error, HistoryUnavailable):
        st.warning(line, icon=":material/error:")
    if session.editing() is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Editing your last message: sending replaces it. The earlier version stays stored.")
            st.button("Cancel", key="cancel_edit", type="tertiary", on_click=actions.cancel_edit)


def _gauge(page: Page, plan: ContextPlan) -> None:
    """The thin strip, one line of text, the legend, and Stop while a reply is being written."""
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
    """Example: "Next request: ~412 of 2,048 tokens (~estimated); 8 messages will be left out"."""
    sent = numbers.tokens(plan.input_tokens, plan.provenance)
    words = f"{which} request: {sent} of {plan.window.max_tokens:,} tokens"
    if not plan.fits:
        return f"{words}; :red[that is more than the {plan.window.input_budget:,} the window has room for]"
    if plan.left_out_count:
        verb = "will be" if which == "Next" else "are"
        words += f"; {numbers.plural(plan.left_out_count, 'message')} {verb} left out"
    if plan.fallback and which == "Next" and plan.fallback.startswith(NOT_YET):
        return f"{words}, and summarized first, in a request of its own"
    if plan.fallback:
        return f"{words}. {plan.fallback}"
    return words


def _legend(fill: window_strip.Fill, plan: ContextPlan) -> None:
    st.markdown(
        "**The context window** is how much text the model can hold at once: everything it is sent, plus its reply."
        " Models remember nothing between requests, so the conversation is sent again each time, until it no longer"
        " fits."
    )
    window_strip.draw(fill, tall=True, legend=True)
    st.caption("The bar shows the next request as it stands, before your new message is typed.")
    st.caption(f"MessageSizes are tokens, {plan.provenance}: {PROVENANCE_TEXT[plan.provenance]}")
