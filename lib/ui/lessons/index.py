"""The list of lessons, and which of them is open."""

from __future__ import annotations

import streamlit as st

from lib.lessons import Lesson
from lib.lessons.library import Library, find_lessons
from lib.lessons.recordings import recorded_of
from lib.ui.format.text import as_markdown
from lib.ui.lessons import state
from lib.ui.shell import error_box, services


def load() -> Library:
    """Every lesson, read anew each time, so that a file that was just edited is shown as it is now."""
    return find_lessons(services.settings().lessons)


def opened(library: Library) -> Lesson | None:
    """The lesson in the address; None for the list. Says so where there is no such lesson."""
    lesson_id = state.open_lesson()
    lesson = library.lesson(lesson_id)
    if lesson_id and lesson is None:
        st.info("The address names a lesson that is not here. These are.")
    return lesson


def draw(library: Library) -> None:
    """What the page is for, the lessons, and the files that are none."""
    st.markdown(
        "**Short lessons for a class or for yourself: first guess, then watch a model, then see why.** They need no key"
        " and no network."
    )
    for lesson in library.lessons:
        _entry(lesson)
    for error in library.broken:
        error_box.show(error)


def _entry(lesson: Lesson) -> None:
    with st.container(border=True, key=f"lesson:{lesson.id}"):
        st.markdown(f"##### {as_markdown(lesson.title)}")
        st.markdown(as_markdown(lesson.summary))
        st.caption(f":material/schedule: about {lesson.minutes} minutes{_recording(lesson)}")
        st.button(
            "Start",
            key=f"lesson_start:{lesson.id}",
            icon=":material/play_arrow:",
            on_click=state.show_lesson,
            args=(lesson.id,),
        )


def _recording(lesson: Lesson) -> str:
    """Example: " · with a recording · live with SmolLM2-135M-Instruct, it worked 20 of 20 times" """
    recorded = recorded_of(lesson)
    if recorded is None:
        return " · live only"
    rate = f"{recorded.as_expected:,} of {recorded.runs:,} times"
    return f" · with a recording · live with {as_markdown(recorded.model)}, it worked {rate}"
