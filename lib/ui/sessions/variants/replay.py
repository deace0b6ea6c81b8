"""The tab that sends the questions of the open session again, with other settings, as a new session."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lib.chat.replays import questions_of
from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.lab.replay_estimate import ReplayEstimate, estimate
from lib.tokens import provenance_label
from lib.ui.components import settings_form
from lib.ui.format import numbers
from lib.ui.sessions import actions, state
from lib.ui.sessions.variants import replay_progress
from lib.ui.shell import error_box, services
from lib.ui.shell.page import Page


def draw(page: Page) -> None:
    """The replays that were begun, then the form for another one."""
    if page.chat is None or page.error is not None:
        return
    try:
        replay_progress.draw(page)
        questions = questions_of(page.history, page.about.muted)
        if not questions:
            st.info("The open chat has no message of yours that could be sent again. Choose another one from the list.")
            return
        st.markdown(sentence(len(questions)))
        settings = state.replay_settings(page.session_id, page.settings)
        _form(page.session_id, settings)
        _start(page, settings)
    except ChatError as error:
        error_box.show(error)


def sentence(questions: int) -> str:
    """What a replay does."""
    messages = "Your message is" if questions == 1 else f"Your {questions:,} messages are"
    return f"**{messages} sent again, one after the other**, to the model you choose. The replies form a new chat."


def _form(session_id: str, settings: ChatSettings) -> None:
    form = settings_form.open_form(f"replay:{session_id}", settings, partial(state.set_replay_settings, session_id))
    left, right = st.columns(2)
    with left:
        form.provider()
        form.model()
        form.api_key()
        form.system_prompt()
    with right:
        form.window()
        form.reserve()
        form.strategy()
        form.summarizer()
    form.limits()


def _start(page: Page, settings: ChatSettings) -> None:
    """What it takes, and the button."""
    model = services.find_model(settings.provider, settings.model)
    expected = estimate(page.history, page.about.muted, settings, services.counter_of(settings), model)
    st.markdown(estimate_sentence(expected))
    st.button(
        "Start the replay",
        type="primary",
        icon=":material/play_arrow:",
        key="start_replay",
        on_click=actions.start_replay,
        args=(page.session_id, settings),
    )


def estimate_sentence(expected: ReplayEstimate) -> str:
    """Markdown. Example: "**4 requests: about 2,280 tokens in and 320 out (counted), $0.0021.** At most $0.012, …"."""
    tokens = f"about {expected.sent:,} tokens in and {expected.reply:,} out ({provenance_label(expected.provenance)})"
    free = expected.cost is not None and not expected.most_cost
    price = "free" if free else numbers.money(expected.cost)
    words = f"**{numbers.plural(expected.requests, 'request')}: {tokens}, {price}**, if the replies are as long as now."
    if expected.most_cost:
        words += f" At most {numbers.money(expected.most_cost)}, if each takes all the room that is reserved for it."
    if expected.unfit:
        words += f" {numbers.plural(expected.unfit, 'request')} would not fit the window: the replay stops there."
    return words.replace("$", "\\$")
