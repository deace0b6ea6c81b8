"""The last step: an arm of the experiment becomes a chat of one's own, with the same window and strategy."""

from __future__ import annotations

import uuid

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.context.strategies import STRATEGIES
from lib.history import Recording
from lib.lessons import Arm, Lesson
from lib.lessons.outcomes import Outcome
from lib.lessons.running import SOURCE, settings_for
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.lessons import experiment, state
from lib.ui.shell import menu, services, session
from lib.ui.shell.error_box import attempt
from lib.ui.shell.page import Page


def draw(page: Page, lesson: Lesson) -> None:
    """A button for each arm, then links to the chat that was made."""
    st.markdown("Go on yourself: open one of these as a chat, say something else, and see what is sent.")
    found = experiment.shown(lesson)
    for place, arm in enumerate(lesson.arms):
        with st.container(border=True, key=f"lesson_try_box:{place}"):
            st.markdown(f"**{as_markdown(arm.name)}**")
            st.caption(_set_up(arm))
            st.button(
                "Open as a chat",
                icon=":material/forum:",
                key=f"lesson_try:{place}",
                on_click=_open,
                args=(lesson, arm, found[place] if found else None, page.settings),
            )
    made = state.tried(lesson.id)
    if made is not None:
        _links(*made)


def _set_up(arm: Arm) -> str:
    """Example: "Window 200 tokens, 48 of them for the reply · Oldest first · “You are a helpful assistant.”" """
    return (
        f"Window {numbers.plural(arm.window, 'token')}, {arm.reserve:,} of them for the reply ·"
        f" {STRATEGIES[arm.strategy].label} · “{as_markdown(arm.system_prompt)}”"
    )


def _links(session_id: str, name: str) -> None:
    st.success(f"“{as_markdown(name)}” is a chat of yours now.", icon=":material/check_circle:")
    parameters = {"session": session_id}
    with st.container(horizontal=True):
        for label, entry in (("Go on with it", menu.MENU["chat"]), ("What it was sent", menu.MENU["context_window"])):
            st.page_link(entry.path, label=label, icon=entry.icon, query_params=parameters)


def _open(lesson: Lesson, arm: Arm, outcome: Outcome | None, own: ChatSettings) -> None:
    """Store what was shown of the arm as a new chat, and open it. For the callback."""

    def act() -> None:
        session_id, name = str(uuid.uuid4()), f"{lesson.title}: {arm.name}"
        store, settings = services.chat().store, settings_for(arm, own).to_dict()
        messages = outcome.messages if outcome is not None else arm.given
        if messages:
            turns = outcome.turns if outcome is not None else ()
            store.restore(session_id, Recording(name, messages, turns, settings, SOURCE))
        else:
            store.save_settings(session_id, settings)
            store.rename(session_id, name)
        session.open_session(session_id)
        state.set_tried(lesson.id, session_id, name)

    attempt(act)
