"""Starts runs of lessons with a real model, and finds the one of this browser session."""

from __future__ import annotations

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.lessons import Lesson
from lib.lessons.recordings import fingerprint
from lib.lessons.running import LessonRun
from lib.ui.chat.actions import opener
from lib.ui.compare.actions import on_this_machine
from lib.ui.lessons import state
from lib.ui.providers.metered import opened_by
from lib.ui.shell import services
from lib.ui.shell.error_box import attempt
from lib.ui.shell.last_used import LastUsed

KEPT = 64


@st.cache_resource(show_spinner=False)
def _runs() -> LastUsed[LessonRun]:
    """The runs of this process. One that makes room is ended."""
    return LastUsed(KEPT, LessonRun.close)


def current(lesson: Lesson) -> LessonRun | None:
    """This browser session's run of the lesson as its file is now; None if it has not been run."""
    run = _runs().get(state.run_id(lesson.id))
    return run if run is not None and fingerprint(run.lesson.arms) == fingerprint(lesson.arms) else None


def start(lesson: Lesson, own: ChatSettings) -> None:
    """Run the lesson with the model of these settings. For callbacks."""

    def act() -> None:
        key, runs = state.run_id(lesson.id), _runs()
        before = runs.pop(key, None)
        if before is not None:
            before.close()
        run = LessonRun(
            lesson, own, opened_by(opener(own.provider)), services.counter_of, on_this_machine=on_this_machine(own)
        )
        runs[key] = run
        run.start()

    attempt(act)


def stop(lesson: Lesson) -> None:
    """Ask nothing more. For callbacks."""
    run = current(lesson)
    if run is not None:
        attempt(run.stop)


def retry(lesson: Lesson) -> None:
    """Ask again where it did not go on. For callbacks."""
    run = current(lesson)
    if run is not None:
        attempt(run.retry)
