"""The st.session_state keys of the page of prompt sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.chat_settings import ChatSettings

NEW, RESULTS, SAVED, COMPARE = "New run", "Results", "Saved runs", "Compare"
TABS = (NEW, RESULTS, SAVED, COMPARE)
TAB = "prompt_sets_tab"
FILE, PASTED, EXAMPLE = "File", "Pasted text", "Example"
SOURCES = (FILE, PASTED, EXAMPLE)
SOURCE, FORMAT, PASTE = "prompt_set_from", "prompt_set_format", "prompt_set_paste"
CHECK, CAP, NAME = "prompt_set_check", "prompt_set_cap", "prompt_set_name"
FILTER_MODELS, FILTER_RESULTS, FILTER_TEXT = "answers_models", "answers_results", "answers_text"
GRID = "answers_grid"
BEFORE, AFTER, ONLY_CHANGES = "compare_before", "compare_after", "compare_changes"
URL_RUN = "run"
MODELS, JUDGE, DRAFT = "prompt_set_models", "prompt_set_judge", "prompt_set_draft"
NO_SETTINGS = ChatSettings("", "", "", 0, 0, "")


def models(default: ChatSettings) -> list[ChatSettings]:
    """The models that were chosen; at first the default one."""
    kept: list[Mapping[str, Any]] = st.session_state.get(MODELS, [default.to_dict()])
    return [NO_SETTINGS.updated(each) for each in kept]


def set_models(chosen: Sequence[ChatSettings]) -> None:
    """Choose these. For callbacks."""
    st.session_state[MODELS] = [each.to_dict() for each in chosen]


def judge() -> ChatSettings | None:
    """The model that judges; None if none was chosen."""
    kept: Mapping[str, Any] | None = st.session_state.get(JUDGE)
    return None if kept is None else NO_SETTINGS.updated(kept)


def set_judge(chosen: ChatSettings | None) -> None:
    """Choose it; None for none. For callbacks."""
    st.session_state[JUDGE] = None if chosen is None else chosen.to_dict()


def draft(default: ChatSettings) -> ChatSettings:
    """The model that the form for another one shows."""
    kept: Mapping[str, Any] | None = st.session_state.get(DRAFT)
    return default if kept is None else NO_SETTINGS.updated(kept)


def set_draft(settings: ChatSettings) -> None:
    """Show another one in that form. For callbacks."""
    st.session_state[DRAFT] = settings.to_dict()


def open_run() -> str:
    """The id of the run in the address; empty for none."""
    return st.query_params.get(URL_RUN, "")


def show_run(run_id: str) -> None:
    """Open a run in its tab, with nothing filtered. For callbacks."""
    st.query_params[URL_RUN] = run_id
    st.session_state[TAB] = RESULTS
    for key in (FILTER_MODELS, FILTER_RESULTS, FILTER_TEXT):
        st.session_state.pop(key, None)


def close_run() -> None:
    """Open no run. For callbacks."""
    st.query_params.pop(URL_RUN, None)


def typed(key: str) -> Any:
    """What a widget holds. For callbacks."""
    return st.session_state.get(key)
