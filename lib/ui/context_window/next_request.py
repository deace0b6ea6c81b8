"""The next request, before anyone pays for it: live as the window, the reserve, the strategy, pins and mutes are changed.

The rule: nothing is sent here, and nothing is stored until "Keep these settings" is pressed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from lib.analysis.decisions import view_of_plan
from lib.context import plan_context
from lib.context.plan import Candidates, ContextPlan
from lib.errors import ChatError
from lib.messages import Usage
from lib.pricing.costs import cost
from lib.providers import ChatRequest
from lib.tokens import ESTIMATE, TokenCounter
from lib.ui.components import message_rows, request_strip, rule_verdict, strategy_fields
from lib.ui.context_window import break_rule, draft_settings, request_body, request_rows, summary
from lib.ui.context_window.draft_settings import DraftSettings
from lib.ui.format import numbers
from lib.ui.shell import menu, services, session
from lib.ui.shell.page import Page

SIZES = (
    64,
    96,
    128,
    192,
    256,
    384,
    512,
    768,
    1024,
    1536,
    2048,
    3072,
    4096,
    6144,
    8192,
    12_288,
    16_384,
    24_576,
    32_768,
    49_152,
    65_536,
    98_304,
    128_000,
    200_000,
    272_000,
    400_000,
    1_000_000,
)
"""Windows to slide through, in tokens."""


def draw(page: Page) -> None:
    """The choices beside what comes of them."""
    tried = draft_settings.of(page)
    choices, outcome = st.columns([1, 2.6], gap="medium")
    with choices:
        _choices(page, tried)
    with outcome:
        try:
            _outcome(page, tried, services.asked_counter(tried.settings))
        except ChatError as error:
            st.caption(f":material/info: {error.what} MessageSizes are estimated until it can be asked.")
            _outcome(page, tried, ESTIMATE)


def _choices(page: Page, tried: DraftSettings) -> None:
    """Window, reserve, strategy and its options, and a message to try."""
    settings = tried.settings

    def changed(name: str) -> dict[str, Any]:
        return {"key": tried.key(name), "on_change": draft_settings.change, "args": (page, name)}

    st.text_area(
        "Your next message", height=80, placeholder="Optional: how the request changes with it", **changed("draft")
    )
    st.select_slider(
        "Context window (tokens)",
        _sizes(page, settings.max_tokens),
        format_func=lambda size: f"{size:,}",
        **changed("max_tokens"),
    )
    st.number_input("Reserved for the reply (tokens)", 8, 1_000_000, step=16, **changed("reserved_for_reply"))
    keys = {name: tried.key(name) for name in ("strategy", *strategy_fields.OPTIONS.get(settings.strategy, ()))}
    strategy_fields.draw(settings.strategy, keys.__getitem__, _changed_any, (page, tuple(keys)))
    if tried.differs:
        st.button(
            "Keep these settings",
            type="primary",
            key="keep_trial",
            on_click=draft_settings.keep,
            args=(page,),
            width="stretch",
            help="Store them with this chat: the next message is sent like this.",
        )
        st.button(
            "Back to what is stored", key="forget_trial", on_click=draft_settings.forget, args=(page,), width="stretch"
        )
    else:
        st.caption(
            "These are the chat's own settings. Change them freely: nothing is sent or stored until you keep them."
        )
    line = session.take_flash()
    if line is not None:
        st.warning(line, icon=":material/error:")


def _changed_any(page: Page, names: tuple[str, ...]) -> None:
    for name in names:
        draft_settings.change(page, name)


def _sizes(page: Page, current: int) -> list[int]:
    """Windows up to the model's own, with those in force among them."""
    model = services.find_model(page.settings.provider, page.settings.model)
    own = page.settings.max_tokens
    most = max(own, current, (model.context_window if model is not None else None) or 128_000)
    return sorted({*(size for size in SIZES if size <= most), own, current, most})


def _outcome(page: Page, tried: DraftSettings, counter: TokenCounter) -> None:
    """What would be sent, and whether the provider would take it."""
    plan = planned(page, tried, counter)
    shown = view_of_plan(plan)
    st.markdown(takeaway(plan, bool(tried.draft.strip())))
    if plan.fallback:
        st.caption(plan.fallback)
    st.caption(f"{_price(tried, plan)}MessageSizes are tokens by {numbers.by(counter)}.")
    request_strip.draw(shown, "next_strip", on_open=session.choose_message)
    provider = services.provider_of(tried.settings, services.key_for(tried.settings.provider))
    rule_verdict.draw(plan, provider)
    summary.draw(
        page,
        tried,
        (
            plan.candidates
            if plan.candidates.summary is None
            else replace(plan.candidates, summary=None, summary_tokens=0)
        ),
    )
    chosen = session.chosen_message()
    rows = request_rows.RowBuilder(
        shown, request_rows.WireFormat(provider, tried.settings.model), len(page.history), tried.mark_of
    )
    shown_page = request_rows.page_of(shown.total, "next_page", chosen)
    message_rows.draw(
        rows.build(shown_page), "next_rows", chosen=chosen, on_mark=lambda at, said: draft_settings.mark(page, at, said)
    )
    try:
        request = ChatRequest(tried.settings.model, tuple(plan.included), tried.settings.reserved_for_reply)
        request_body.draw(provider, provider.body(request), None, "next")
    except ChatError as error:
        st.caption(f"The request cannot be built: {error.what}")
    break_rule.draw(tried.settings, plan, provider)
    st.page_link(
        menu.MENU["chat"].path,
        label="To the chat, to send it",
        icon=menu.MENU["chat"].icon,
        query_params={"session": page.session_id},
    )


def planned(page: Page, tried: DraftSettings, counter: TokenCounter) -> ContextPlan:
    """The plan of the next request, as sending would make it."""
    assert page.chat is not None
    settings = tried.settings
    ledger = page.chat.ledger(page.session_id, counter)
    candidates = Candidates.gather(settings.system_prompt, page.history, tried.draft, ledger)
    return plan_context(
        candidates, settings.window, settings.strategy, tried.muted, tried.pinned, settings.options, page.about.summary
    )


def takeaway(plan: ContextPlan, drafted: bool) -> str:
    """Example: "**The next request holds 5 of 9 messages,** 412 tokens of 1,536; 4 are left out." """
    total = len(plan.candidates) - plan.candidates.preamble
    stored = sum(
        stop - max(start, plan.candidates.preamble)
        for start, stop, included, _ in plan.runs
        if included and stop > plan.candidates.preamble
    )
    size = f"{numbers.tokens(plan.input_tokens, plan.provenance)} of {plan.window.input_budget:,} tokens"
    new = "the new one included" if drafted else "an empty new one included"
    if not plan.fits:
        return f"**:red[The next request would not fit:]** {size}. You would be asked before anything is sent."
    if not plan.left_out_count:
        return f"**The next request holds all {numbers.plural(total, 'message')},** {new}: {size}."
    return (
        f"**The next request holds {stored:,} of {numbers.plural(total, 'message')},** {size}; {plan.left_out_count:,}"
        " are left out."
    )


def _price(tried: DraftSettings, plan: ContextPlan) -> str:
    """What reading it costs at list price. Example: "Reading it costs $0.0012. " """
    model = services.find_model(tried.settings.provider, tried.settings.model)
    price = None if model is None else cost(model, Usage(input_tokens=plan.input_tokens, output_tokens=0))
    return (
        "What it costs is not known: there is no price. "
        if price is None
        else f"Reading it costs {numbers.money(price.total)}. "
    )
