"""The box for a message to all columns, and the buttons that send several."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from lib.analysis.bills import sum_or_none
from lib.chat.replays import questions_of
from lib.chat_settings import ChatSettings
from lib.lab.replay_estimate import estimate
from lib.pricing.costs import most_cost
from lib.ui.compare import actions, state
from lib.ui.compare.column import Column
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import services, session
from lib.ui.shell.page import Page

SCRIPT = (
    "My name is Ada, and I have two cats.",
    "Name three fruits.",
    "What is the capital of France?",
    "What is my name?",
)
"""Example messages. The last one can be answered only if the first one is still sent."""
MOST_PRICED = 100
"""Questions of a chat that are priced beforehand. The page does not wait for more to be counted."""


def draw(page: Page, columns: Sequence[Column], settings: Sequence[ChatSettings]) -> None:
    """The box and the buttons."""
    line = session.take_flash()
    if line is not None:
        st.warning(as_markdown(line), icon=":material/error:")
    with (
        st.form("compare_form", clear_on_submit=True, border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input("Ask all columns", placeholder="One message, sent to every column", key=state.PROMPT)
        st.form_submit_button("Send", icon=":material/send:", on_click=actions.ask_typed)
    with st.container(horizontal=True, vertical_alignment="center", key="compare_buttons"):
        if columns:
            _begun(columns)
        else:
            _scripts(page, settings)
    st.caption(_money(settings))


def _scripts(page: Page, settings: Sequence[ChatSettings]) -> None:
    st.button(
        f"Ask {len(SCRIPT)} example questions",
        icon=":material/play_arrow:",
        key="compare_script",
        type="primary",
        on_click=actions.ask,
        args=(SCRIPT,),
        help=" · ".join(SCRIPT),
    )
    own = questions_of(page.history, page.about.muted)
    if own:
        st.button(
            f"Ask the {numbers.plural(len(own), 'question')} of the open chat",
            icon=":material/forum:",
            key="compare_own",
            on_click=actions.ask_chats_messages,
            args=(page,),
            help=_price_of_chat(page, settings) if len(own) <= MOST_PRICED else None,
        )


def _begun(columns: Sequence[Column]) -> None:
    busy = any(column.busy for column in columns)
    ids = tuple(column.session_id for column in columns)
    st.button(
        "Stop all",
        icon=":material/stop_circle:",
        key="compare_stop_all",
        disabled=not busy,
        on_click=actions.stop_all,
        args=(ids,),
    )
    st.button(
        "Start over",
        icon=":material/restart_alt:",
        key="compare_restart",
        type="tertiary",
        disabled=busy,
        on_click=actions.start_over,
        args=([column.page.settings for column in columns],),
        help="Goes back to the settings. These chats stay in the list of chats.",
    )


def _money(settings: Sequence[ChatSettings]) -> str:
    """What one message costs at most in all columns together, as Markdown."""
    total = sum_or_none(_most_of_one(each) for each in settings)
    if total is None:
        return "What a message costs is not known, because there is no price for one of these models."
    if not total:
        return "All columns run on this machine, so nothing is paid."
    return f"One message to all columns costs at most {numbers.money(total)}.".replace("$", "\\$")


def _most_of_one(settings: ChatSettings) -> Decimal | None:
    """USD of a request that fills the window, with a reply that takes all its room; None without a price."""
    model = services.find_model(settings.provider, settings.model)
    return None if model is None else most_cost(model, settings.window.input_budget, settings.reply_tokens)


def _price_of_chat(page: Page, settings: Sequence[ChatSettings]) -> str:
    """What the questions of the open chat cost in all columns together, as Markdown."""
    total = sum_or_none(
        estimate(
            page.history,
            page.about.muted,
            each,
            services.counter_of(each),
            services.find_model(each.provider, each.model),
        ).most_cost
        for each in settings
    )
    if total is None:
        return "What they cost is not known, because there is no price for one of these models."
    return f"They cost at most {numbers.money(total)} in all columns together.".replace("$", "\\$") if total else "Free"
