"""The steps of an open lesson: predict, watch, why, try it. The arrow keys go from one to the next."""

from __future__ import annotations

import streamlit as st

from lib.lessons import Lesson
from lib.ui.format.text import as_label, as_markdown
from lib.ui.lessons import experiment, state, try_it
from lib.ui.shell.page import Page

LONGEST_CHOICE = 300
"""Characters of a choice that are drawn."""


def draw(page: Page, lesson: Lesson) -> None:
    """The lesson's title, its steps, and the one that is open."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"#### {as_markdown(lesson.title)}")
        st.button(
            "All lessons",
            icon=":material/arrow_back:",
            type="tertiary",
            key="lesson_close",
            on_click=state.close_lesson,
        )
    step = st.segmented_control(
        "Step",
        state.STEPS,
        default=state.PREDICT,
        required=True,
        key=state.STEP,
        bind="query-params",
        label_visibility="collapsed",
    )
    if step == state.PREDICT:
        _predict(lesson)
    elif step == state.WATCH:
        experiment.draw(page, lesson)
    elif step == state.WHY:
        _why(lesson)
    else:
        try_it.draw(page, lesson)
    _neighbours(step)


def _predict(lesson: Lesson) -> None:
    st.markdown(as_markdown(" ".join(lesson.prediction.question.split())))
    kept = state.prediction(lesson.id)
    choices = lesson.prediction.choices
    st.radio(
        "What do you think?",
        choices,
        index=choices.index(kept) if kept in choices else None,
        format_func=lambda choice: as_label(choice, LONGEST_CHOICE),
        key=state.prediction_key(lesson.id),
    )
    state.prediction(lesson.id)
    st.caption("Choose before you go on. Nobody else sees it.")


def _why(lesson: Lesson) -> None:
    """What was predicted, what is right, why, and what to look at again."""
    right = lesson.prediction.choices[lesson.prediction.right]
    predicted = state.prediction(lesson.id)
    if predicted == right:
        st.success(f"You predicted it: {as_markdown(right)}", icon=":material/check_circle:")
    else:
        before = "" if predicted is None else f"You predicted: {as_markdown(predicted)}  \n"
        st.info(f"{before}What happens: **{as_markdown(right)}**", icon=":material/lightbulb:")
    st.markdown(as_markdown(" ".join(lesson.explanation.split())))
    st.markdown("**Look again at these**")
    for each in lesson.look_at:
        st.markdown(f"- {as_markdown(each)}")


def _neighbours(step: str) -> None:
    """Buttons to the step before and after."""
    place = state.STEPS.index(step)
    with st.container(horizontal=True, horizontal_alignment="distribute", key="lesson_steps"):
        st.button(
            state.STEPS[place - 1] if place else "Back",
            icon=":material/chevron_left:",
            key="lesson_back",
            shortcut="Left",
            disabled=not place,
            on_click=state.go_to,
            args=(state.STEPS[max(0, place - 1)],),
        )
        last = place == len(state.STEPS) - 1
        st.button(
            "Next" if last else state.STEPS[place + 1],
            icon=":material/chevron_right:",
            icon_position="right",
            key="lesson_next",
            type="primary",
            shortcut="Right",
            disabled=last,
            on_click=state.go_to,
            args=(state.STEPS[min(len(state.STEPS) - 1, place + 1)],),
        )
