"""The page of lessons: a lesson is walked from its prediction to a chat of one's own, and a broken file is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.lessons import recordings
from lib.lessons.library import SHIPPED, find_lessons
from lib.lessons.recordings import Recorded, to_json
from lib.lessons.running import LessonRun
from lib.providers.scripted import Script, ScriptedProvider
from lib.tokens import ESTIMATE
from lib.ui.lessons import runs, state
from tests.support.app.pages import page, settings
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until

PATH = "pages/lessons.py"
STATELESS, BILL, WINDOW = (lesson.id for lesson in find_lessons().lessons[:3])


def words(at: AppTest) -> str:
    """Everything the page says."""
    parts = [*at.markdown, *at.caption, *at.info, *at.success, *at.warning, *at.error]
    return "\n".join(str(each.value) for each in parts)


@pytest.fixture
def no_recordings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in place of that of the recordings."""
    monkeypatch.setattr(recordings, "FOLDER", tmp_path)
    monkeypatch.setattr(recordings.recorded_of, "__defaults__", (tmp_path,))
    return tmp_path


def record(folder: Path, lesson_id: str, *replies: str) -> None:
    """Write a recording of the lesson with these replies."""
    lesson = find_lessons().lesson(lesson_id)
    assert lesson is not None
    provider = ScriptedProvider(*(Script([reply]) for reply in replies))
    run = LessonRun(lesson, settings(), lambda _: provider, lambda settings, provider: ESTIMATE)
    run.start()
    wait_until(lambda: not run.is_running)
    recorded = Recorded("a-model", "2026-11-28", 20, 19, run.outcomes())
    (folder / f"{lesson_id}.json").write_text(to_json(lesson, recorded))


def test_the_list_names_every_lesson_and_why_a_file_is_none(
    chat: ChatService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "50-broken.toml").write_text('title = "A :red[title]"')
    monkeypatch.setenv("WINDOWSEAT_LESSONS", str(tmp_path))
    st.cache_resource.clear()
    at = page(PATH)
    assert not at.exception, at.exception
    for lesson in find_lessons().lessons:
        assert lesson.title in words(at)
    assert "50-broken.toml is not a lesson yet" in words(at)


def test_every_step_of_every_lesson_opens_and_stores_nothing(chat: ChatService) -> None:
    for lesson in find_lessons().lessons:
        for step in state.STEPS:
            at = page(PATH, state={state.STEP: step}, lesson=lesson.id)
            assert not at.exception, (lesson.id, step, at.exception)
            assert lesson.title in words(at)
    assert list(chat.store.sessions(10)) == []


def test_a_lesson_leads_from_the_prediction_to_a_chat_of_ones_own(chat: ChatService, no_recordings: Path) -> None:
    record(no_recordings, STATELESS, "Bruno", "Emily", "Zed", "Luna")
    at = page(PATH)
    at.button(key=f"lesson_start:{STATELESS}").click().run()
    lesson = find_lessons().lesson(STATELESS)
    assert lesson is not None
    right = lesson.prediction.choices[lesson.prediction.right]
    at.radio(key=state.prediction_key(STATELESS)).set_value(right).run()
    at.button(key="lesson_next").click().run()
    assert "Recorded on 2026-11-28 with a-model, which really ran. Of 20 runs, 19 came out" in words(at)
    assert "Emily" in words(at)
    at.button(key="lesson_next").click().run()
    assert f"You predicted it: {right}" in words(at)
    at.button(key="lesson_next").click().run()
    at.button(key="lesson_try:0").click().run()
    assert not at.exception, at.exception
    (summary,) = chat.store.sessions(10)
    assert summary.title == f"{lesson.title}: {lesson.arms[0].name}"
    stored = chat.store.load(summary.session_id)
    assert [message.role for message in stored] == ["user", "assistant", "user", "assistant"]
    assert chat.store.about(summary.session_id).settings["system_prompt"] == lesson.arms[0].system_prompt


def test_a_live_run_asks_the_model_of_the_open_chat(chat: ChatService, typist: Typist, no_recordings: Path) -> None:
    at = page(PATH, state={state.STEP: state.WATCH}, lesson=STATELESS)
    at.button(key="lesson_run").click().run()
    (run,) = runs._runs().values()
    wait_until(lambda: not run.is_running)
    at.run()
    assert not at.exception, at.exception
    assert "This time it came out differently" in words(at)
    asked = sorted(len(request["messages"]) for request in typist.requests)
    assert asked == [2, 4, 4, 4]
    assert {request["messages"][0]["content"] for request in typist.requests} == {"You are a helpful assistant."}
    assert list(chat.store.sessions(10)) == []
    assert json.loads(typist.bodies[0])["model"] == "typist-1"


def test_a_fact_that_is_not_sent_is_told_with_the_turn(chat: ChatService, no_recordings: Path) -> None:
    lesson = find_lessons().lesson(WINDOW)
    assert lesson is not None
    record(no_recordings, WINDOW, *["A reply of some words that fills the window a little more each time."] * 8)
    at = page(PATH, state={state.STEP: state.WATCH}, lesson=WINDOW)
    assert "“7421” is in none of the messages that were sent" in words(at)
    at.slider(key=state.turn_key(8)).set_value(1).run()
    assert "“7421” is in the request" in words(at)


def test_arms_of_one_name_and_choices_with_markdown_are_drawn(
    chat: ChatService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (SHIPPED / f"{STATELESS}.toml").read_text()
    for name in ("With its own history", "Without a history", "With a forged history"):
        text = text.replace(f'name = "{name}"', 'name = "Same :red[name]"')
    (tmp_path / "9-same.toml").write_text(
        text.replace('"That it has', '"![x](http://example.com/x.png) $a$ That it has')
    )
    monkeypatch.setenv("WINDOWSEAT_LESSONS", str(tmp_path))
    st.cache_resource.clear()
    for step in state.STEPS:
        at = page(PATH, state={state.STEP: step}, lesson="9-same")
        assert not at.exception, (step, at.exception)
        if step == state.PREDICT:
            assert not any("![" in option for option in at.radio[0].options)
