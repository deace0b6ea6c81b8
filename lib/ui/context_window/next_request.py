"""The next request before it is sent: it changes with the window, the reserve, the strategy, pins and mutes.

Nothing is sent here, and nothing is stored until "Keep these settings" is pressed.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from lib.analysis.request_view import view_of_plan
from lib.chat.cache_question import cache_question
from lib.context.plan import ContextPlan
from lib.errors import ChatError
from lib.messages import Usage
from lib.planner import plan_next, summary_needed
from lib.pricing.costs import cost
from lib.providers import ChatRequest
from lib.tokens import ESTIMATE, TokenCounter
from lib.ui.components import request_strip, rule_verdict, settings_form
from lib.ui.components.message_parts.shown import shown_with
from lib.ui.context_window import break_rule, draft_settings, request_body, request_rows, sentences, state, summary
from lib.ui.context_window.draft_settings import DraftSettings
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import menu, services, session
from lib.ui.shell.page import Page


def draw(page: Page) -> None:
    """Draw the choices beside their outcome."""
    draft = draft_settings.of(page)
    choices, outcome = st.columns([1, 2.6], gap="medium")
    with choices:
        _choices(page, draft)
    with outcome:
        try:
            _outcome(page, draft, services.asked_counter(draft.settings))
        except ChatError as error:
            st.caption(f":material/info: {as_markdown(error.what)} Sizes are estimated until it can be asked.")
            _outcome(page, draft, ESTIMATE)


def _choices(page: Page, draft: DraftSettings) -> None:
    """Draw the message to try, window, reserve, strategy and its options."""
    st.text_area(
        "Your next message",
        height=80,
        placeholder="Optional: see how the request changes with it",
        key=state.seed_prompt(page.session_id, draft.prompt),
        on_change=draft_settings.change_prompt,
        args=(page,),
    )
    form = settings_form.open_form(f"{page.session_id}:try", draft.settings, partial(draft_settings.change, page))
    form.window_slider(page.settings.max_tokens)
    form.reserve()
    form.strategy()
    if draft.differs:
        st.button(
            "Keep these settings",
            type="primary",
            key="keep_trial",
            disabled=not page.may_write,
            on_click=draft_settings.keep,
            args=(page,),
            width="stretch",
            help="Store them with this chat, so that the next message is sent this way.",
        )
        st.button(
            "Back to the stored settings",
            key="forget_trial",
            on_click=draft_settings.forget,
            args=(page,),
            width="stretch",
        )
    else:
        st.caption("These are the chat's own settings. Nothing is sent or stored until you keep a change.")
    line = session.take_flash()
    if line is not None:
        st.warning(as_markdown(line), icon=":material/error:")


def _outcome(page: Page, draft: DraftSettings, counter: TokenCounter) -> None:
    """Draw what would be sent, and whether the provider would accept it."""
    assert page.chat is not None
    ledger = page.chat.ledger(page.session_id, counter)
    plan = plan_next(draft.settings, draft.marks, page.history, draft.prompt, ledger)
    shown = view_of_plan(plan)
    st.markdown(sentences.next_headline(plan, bool(draft.prompt.strip())))
    if plan.fallback is not None:
        st.caption(plan.fallback.text)
    st.caption(f"{_price(draft, plan)}Sizes are in tokens, by {as_markdown(counter.name)}.")
    request_strip.draw(shown, "next_strip", on_open=session.choose_message)
    provider = services.provider_of(draft.settings, services.key_for(draft.settings.provider))
    rule_verdict.draw(plan, provider)
    summary.draw(page, draft, summary_needed(draft.settings, draft.marks, page.history, draft.prompt, ledger))
    wire = request_rows.WireFormat(provider, draft.settings.model)
    turns = page.chat.store.turns(page.session_id) if page.chat is not None else []
    parts = shown_with(page, page.history, turns)
    rows = request_rows.RowBuilder(shown, wire, len(page.history), "What would be sent", draft.mark_of, parts)
    chosen = draft.settings
    try:
        question = cache_question(chosen, turns)
        request = ChatRequest(chosen.model, tuple(plan.included), chosen.reply_tokens, chosen.generation, question)
        body = provider.prepare(request)
        request_body.draw(provider.address(), body.data, body.sha256, None, "next")
    except ChatError as error:
        st.caption(f"The request cannot be built: {as_markdown(error.what)}")
    break_rule.draw(draft.settings, plan, provider)
    request_rows.draw(rows, page.session_id, "next", partial(draft_settings.mark, page))
    st.page_link(
        menu.MENU["chat"].path,
        label="Back to chat",
        icon=menu.MENU["chat"].icon,
        query_params={"session": page.session_id},
    )


def _price(draft: DraftSettings, plan: ContextPlan) -> str:
    """What its input costs at list price. Example: "Its input costs $0.0012. " """
    model = services.find_model(draft.settings.provider, draft.settings.model)
    price = None if model is None else cost(model, Usage(input_tokens=plan.input_tokens, output_tokens=0))
    return (
        "No price known. "
        if price is None
        else f"Its input costs {numbers.money(price.total)}. "
        if price.total
        else "Its input is free. "
    )
