"""The models that a run asks, and the one that judges: a form to add one, and a line for each with its settings."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.prompt_sets.runs import MOST_MODELS
from lib.ui.components import generation_form, settings_form
from lib.ui.format.text import as_label
from lib.ui.prompt_sets import state
from lib.ui.providers import own
from lib.ui.shell import services, session, session_settings

PANEL = "prompt_set_add_model"


def chosen() -> list[ChatSettings]:
    """The models in their order; at first that of a new chat."""
    return state.models(_plain(session_settings.of_new_chat()))


def draw(*, judged: bool) -> None:
    """The form and the lines. With `judged`, also who judges."""
    for place, settings in enumerate(chosen()):
        _line(place, settings)
    if judged:
        _judge_line()
    _add(judged=judged)
    _keys()


def name_of(settings: ChatSettings) -> str:
    """Markdown. Example: "**gpt-6-luna** · OpenAI · replies of up to 1,024 tokens · temperature 0" """
    label = own.label(own.offered(), settings.provider)
    parts = [
        f"**{as_label(settings.model or 'the first model that it lists')}**",
        as_label(label),
        f"replies of up to {settings.reply_tokens:,} tokens",
        as_label(settings.generation.without("max_reply_tokens").summary, 100),
    ]
    return " · ".join(part for part in parts if part)


def missing_key(settings: ChatSettings) -> bool:
    """Whether its endpoint needs a key and has none."""
    endpoint = services.endpoint(settings.provider)
    return endpoint.needs_key and not services.key_for(settings.provider)


def _line(place: int, settings: ChatSettings) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"prompt_model:{place}"):
        panel = st.expander(name_of(settings), key=f"prompt_model_panel:{place}", on_change="rerun")
        if panel.open:
            with panel:
                _settings(place, settings)


def _settings(place: int, settings: ChatSettings) -> None:
    """What is sent with each of its prompts, and the button that removes it."""
    changed = partial(_changed, place)
    form = settings_form.open_form(f"prompt_model:{place}", settings, changed)
    left, right = st.columns(2)
    with left:
        form.system_prompt()
        form.reserve()
        form.limits()
    with right:
        generation_form.draw(
            form.name, settings.generation, lambda generation: changed(replace(settings, generation=generation))
        )
    st.button(
        "Remove this model",
        key=f"prompt_model_remove:{place}",
        icon=":material/delete:",
        disabled=len(chosen()) == 1,
        on_click=_remove,
        args=(place,),
    )


def _judge_line() -> None:
    judge = state.judge()
    with st.container(horizontal=True, vertical_alignment="center", key="prompt_judge"):
        if judge is None:
            st.caption(":material/gavel: No judge is chosen: those answers would not be judged. Add one below.")
            return
        st.markdown(f":material/gavel: Judged by {name_of(judge)}")
        st.button(
            "Remove the judge", key="prompt_judge_remove", type="tertiary", on_click=state.set_judge, args=(None,)
        )


def _add(*, judged: bool) -> None:
    panel = st.expander("Add a model", icon=":material/add:", key=PANEL, on_change="rerun")
    if not panel.open:
        return
    with panel:
        settings = _draft()
        form = settings_form.open_form("prompt_model:new", settings, state.set_draft)
        left, right = st.columns(2)
        with left:
            form.provider()
        with right:
            form.model()
        with st.container(horizontal=True):
            st.button(
                "Add this model",
                key="prompt_model_add",
                type="primary",
                icon=":material/add:",
                disabled=not settings.model or len(chosen()) >= MOST_MODELS,
                on_click=_append,
            )
            if judged:
                st.button("Make it the judge", key="prompt_judge_add", icon=":material/gavel:", on_click=_appoint)


def _keys() -> None:
    """A field for the key of each endpoint that needs one and has none configured."""
    judge = state.judge()
    asked = {each.provider: each for each in (*chosen(), *([] if judge is None else [judge]))}
    for name, settings in asked.items():
        endpoint = services.endpoint(name)
        if endpoint.needs_key and not endpoint.key:
            st.caption(f"{as_label(settings.model)} needs a key of {as_label(endpoint.label)}.")
            settings_form.open_form(f"prompt_key:{name}", settings, _ignore).api_key()


def _ignore(settings: ChatSettings) -> None:
    """A key is no part of the settings."""


def _draft() -> ChatSettings:
    """The model that the form shows."""
    return _plain(state.draft(session_settings.of_new_chat()))


def _append() -> None:
    """Add what the form holds now, which the page may not have drawn yet. For callbacks."""
    if _draft().model and len(chosen()) < MOST_MODELS:
        state.set_models([*chosen(), _draft()])


def _appoint() -> None:
    """Make what the form holds now the judge. For callbacks."""
    state.set_judge(_draft())


def _remove(place: int) -> None:
    left = [each for at, each in enumerate(chosen()) if at != place]
    state.set_models(left)
    for at in range(place, MOST_MODELS):
        session.set_widget(f"prompt_model_panel:{at}", False)


def _changed(place: int, settings: ChatSettings) -> None:
    state.set_models([settings if at == place else each for at, each in enumerate(chosen())])


def _plain(settings: ChatSettings) -> ChatSettings:
    """With no strategy: each prompt is one request without a history."""
    return replace(settings, strategy="none")
