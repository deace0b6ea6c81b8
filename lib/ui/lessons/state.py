"""The st.session_state keys of the page of lessons, and what it keeps in the address, behind functions."""

from __future__ import annotations

import uuid

import streamlit as st

PREDICT, WATCH, WHY, TRY = "Predict", "Watch", "Why", "Try it"
STEPS = (PREDICT, WATCH, WHY, TRY)
STEP = "lesson_step"
URL_LESSON = "lesson"
SOURCE = "lesson_source"
RECORDED, LIVE = "Recording", "Live"
_CHOICES, _TRIED, _BROWSER = "lesson_choices", "lesson_tried", "lesson_browser"


def open_lesson() -> str:
    """The id of the lesson in the address; empty for the list of lessons."""
    return st.query_params.get(URL_LESSON, "")


def show_lesson(lesson_id: str) -> None:
    """Open a lesson at its first step. For callbacks."""
    st.query_params[URL_LESSON] = lesson_id
    st.session_state[STEP] = PREDICT


def close_lesson() -> None:
    """Go back to the list. For callbacks."""
    st.query_params.pop(URL_LESSON, None)


def go_to(step: str) -> None:
    """Go to a step of the open lesson. For callbacks."""
    st.session_state[STEP] = step


def turn_key(turns: int) -> str:
    """The key of the slider over so many turns. A turn chosen among more of them may not exist here."""
    return f"lesson_turn:{turns}"


def prediction_key(lesson_id: str) -> str:
    """The key of the widget that holds what the person predicted."""
    return f"lesson_prediction:{lesson_id}"


def prediction(lesson_id: str) -> str | None:
    """What the person predicted in this lesson; None before that. It outlives the widget, which other steps hide."""
    chosen: str | None = st.session_state.get(prediction_key(lesson_id))
    kept: dict[str, str] = st.session_state.setdefault(_CHOICES, {})
    if chosen is not None:
        kept[lesson_id] = chosen
    return kept.get(lesson_id)


def run_id(lesson_id: str) -> str:
    """The name of this browser session's run of a lesson. Nobody else can guess it."""
    browser: str = st.session_state.setdefault(_BROWSER, uuid.uuid4().hex)
    return f"{browser}:{lesson_id}"


def tried(lesson_id: str) -> tuple[str, str] | None:
    """The chat that was made to try the lesson, and its name; None before that."""
    kept: dict[str, tuple[str, str]] = st.session_state.get(_TRIED, {})
    return kept.get(lesson_id)


def set_tried(lesson_id: str, session_id: str, name: str) -> None:
    """Remember the chat that was made to try the lesson. For callbacks."""
    st.session_state[_TRIED] = {**st.session_state.get(_TRIED, {}), lesson_id: (session_id, name)}
