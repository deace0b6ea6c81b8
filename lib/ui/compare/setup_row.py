"""The columns before the first message: which model each has, with which settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.ui.compare import actions, names, state
from lib.ui.components import settings_form
from lib.ui.components.settings_form import SettingsForm
from lib.ui.format.text import as_label
from lib.ui.shell import services, session_settings
from lib.ui.shell.page import Page

SHORT_REPLY = 64
"""Longest reply in tokens that the small model on this machine begins with, so that a comparison takes a minute."""


def draw(page: Page) -> list[ChatSettings]:
    """The drafts, each with a form to change it. Returns their settings."""
    if not state.drafts():
        state.set_drafts([each.to_dict() for each in first_settings(page)])
    drafts = state.drafts()
    settings = [session_settings.completed(stored) for _, stored in drafts]
    called = names.names(settings)
    keys_asked: set[str] = set()
    for place, column in enumerate(st.columns(len(drafts), gap="small")):
        with column, st.container(border=True, key=f"compare_draft:{place}"):
            asks_key = settings[place].provider not in keys_asked
            keys_asked.add(settings[place].provider)
            _head(names.LETTERS[place], called[place], settings[place])
            _change(drafts[place][0], settings[place], removable=len(drafts) > state.LEAST, asks_key=asks_key)
    with st.container(horizontal=True, vertical_alignment="center"):
        _add(settings[-1].to_dict(), disabled=len(drafts) >= state.MOST)
        st.toggle(
            "Hide the names until I vote",
            key=state.BLIND,
            help="The columns are mixed, and neither their models nor their figures are shown until you have said which"
            " answers are better.",
        )
    return settings


def first_settings(page: Page) -> list[ChatSettings]:
    """What the page begins with: two configured models, or the open chat's with its strategy and with another."""
    ready = [
        name
        for name, endpoint in services.settings().endpoints.items()
        if endpoint.kind != "local" and (services.key_for(name) or not endpoint.needs_key)
    ]
    if len(ready) > 1:
        return [session_settings.defaults(name) for name in ready[: state.LEAST]]
    first = page.settings
    if services.endpoint(first.provider).kind == "local":
        first = replace(first, reserved_for_reply=min(first.reserved_for_reply, SHORT_REPLY))
    if first.strategy == "sliding_window":
        return [first, replace(first, strategy=session_settings.defaults().strategy)]
    return [first, replace(first, strategy="sliding_window", last_exchanges=1)]


def _head(letter: str, name: str, settings: ChatSettings) -> None:
    st.markdown(f"**{letter}: {as_label(name, 80)}**")
    st.caption(f"{as_label(services.endpoint(settings.provider).label)} · {as_label(names.described(settings), 160)}")


def _change(key: str, settings: ChatSettings, *, removable: bool, asks_key: bool) -> None:
    """The buttons of a draft. The field for an endpoint's key can be drawn only once on the page."""
    with st.container(horizontal=True, gap="small"):
        with st.popover("Change", icon=":material/tune:", key=f"compare_change:{key}"):
            _form(settings_form.open_form(f"compare:{key}", settings, actions.changed(key)), asks_key=asks_key)
        if removable:
            st.button(
                "Remove",
                type="tertiary",
                icon=":material/close:",
                key=f"compare_remove:{key}",
                on_click=state.remove_draft,
                args=(key,),
            )


def _form(form: SettingsForm, *, asks_key: bool) -> None:
    form.provider()
    form.model(explained=False)
    if asks_key:
        form.api_key()
    form.strategy()
    form.summarizer()
    form.window()
    form.reserve()
    form.system_prompt()
    form.generation()
    form.limits()


def _add(settings: Mapping[str, Any], *, disabled: bool) -> None:
    st.button(
        "Add a column",
        icon=":material/add:",
        key="compare_add",
        disabled=disabled,
        on_click=state.add_draft,
        args=(settings,),
    )
