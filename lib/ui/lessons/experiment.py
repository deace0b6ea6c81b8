"""The step in which the experiment is watched: as it was recorded, or live with the model of the open chat."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.lessons import Lesson
from lib.lessons.outcomes import Outcome, as_expected
from lib.lessons.recordings import Recorded, recorded_of
from lib.lessons.running import LessonRun
from lib.ui.format.text import as_label, as_markdown
from lib.ui.lessons import growth, pairs, runs, state, window
from lib.ui.shell import services
from lib.ui.shell.page import Page

REFRESH_SECONDS = 0.5
VIEWS = {"pairs": pairs.draw, "growth": growth.draw, "window": window.draw}


def draw(page: Page, lesson: Lesson) -> None:
    """Choose where it comes from, then watch it."""
    recorded = recorded_of(lesson)
    source = state.LIVE
    if recorded is not None:
        source = st.segmented_control(
            "From", (state.RECORDED, state.LIVE), default=state.RECORDED, required=True, key=state.SOURCE
        )
    if source == state.RECORDED and recorded is not None:
        st.caption(_of_recording(recorded))
        VIEWS[lesson.view](recorded.outcomes)
    else:
        _live(page, lesson)


def shown(lesson: Lesson) -> tuple[Outcome, ...]:
    """What is shown of the lesson in this browser session: its own run, else the recording; empty without either."""
    run = runs.current(lesson)
    if run is not None and as_expected(run.outcomes()) is not None:
        return run.outcomes()
    recorded = recorded_of(lesson)
    return recorded.outcomes if recorded is not None else ()


def _of_recording(recorded: Recorded) -> str:
    return (
        f"Recorded on {recorded.day} with {as_markdown(recorded.model)}, which really ran. Of {recorded.runs} runs,"
        f" {recorded.as_expected} came out as this lesson tells it."
    )


def _live(page: Page, lesson: Lesson) -> None:
    run = runs.current(lesson)
    label = services.endpoint(page.settings.provider).label
    model = as_label(page.settings.model or label)
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_live"):
        st.button(
            "Run it" if run is None else "Run it again",
            type="primary" if run is None else "secondary",
            icon=":material/play_arrow:",
            key="lesson_run",
            disabled=run is not None and run.is_running,
            on_click=runs.start,
            args=(lesson, page.settings),
        )
        if run is not None and run.is_running:
            st.button("Stop", icon=":material/stop_circle:", key="lesson_stop", on_click=runs.stop, args=(lesson,))
        st.caption(f"With {model}, the model of the open chat. Nothing is stored.")
    if run is None:
        return
    if run.is_running:
        _redrawn(lesson)
    else:
        _ended(lesson, run)


@st.fragment(run_every=REFRESH_SECONDS)
def _redrawn(lesson: Lesson) -> None:
    """The run as it goes on; the whole page once more at its end."""
    run = runs.current(lesson)
    if run is None or not run.is_running:
        st.rerun()
    assert run is not None
    VIEWS[lesson.view](run.outcomes())


def _ended(lesson: Lesson, run: LessonRun) -> None:
    outcomes = run.outcomes()
    _failures(lesson, outcomes)
    if as_expected(outcomes) is False:
        st.info(
            "This time it came out differently from what the lesson tells. Models pick their words by chance; a larger"
            " one strays less.",
            icon=":material/info:",
        )
    VIEWS[lesson.view](outcomes)


def _failures(lesson: Lesson, outcomes: Sequence[Outcome]) -> None:
    errors = list(dict.fromkeys(each.error for each in outcomes if each.error is not None))
    for error in errors:
        st.warning(f"{as_markdown(error.what)} {as_markdown(error.next_step)}", icon=":material/error:")
    if errors:
        st.button("Ask again", icon=":material/refresh:", key="lesson_retry", on_click=runs.retry, args=(lesson,))
