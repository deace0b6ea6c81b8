"""Runs of lessons: what each arm sends, what comes of it, and that a recording shows the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lib.chat_settings import ChatSettings
from lib.errors import RateLimited
from lib.generation import Generation
from lib.lessons import Arm, Lesson, Prediction
from lib.lessons.outcomes import Outcome, as_expected
from lib.lessons.recordings import Recorded, recorded_of, to_json
from lib.lessons.running import LessonRun, settings_for
from lib.messages import assistant, user
from lib.providers.scripted import Script, ScriptedProvider
from lib.tokens import ESTIMATE
from tests.support.waiting import wait_until

OWN = ChatSettings("scripted", "m", "Mine.", 4096, 64, "low_water", generation=Generation(temperature=1.5))
TOLD = Arm("Told", ("Who?",), (user("It is Bruno."), assistant("Noted.")), "Be brief.", 200, 20, "none", "Bruno")
NOT_TOLD = replace(TOLD, name="Not told", given=(), known=False)
LESSON = Lesson("9-a", "A lesson", "", 5, "pairs", Prediction("?", ("a", "b"), 0), (TOLD, NOT_TOLD), (), "")


def run(lesson: Lesson, provider: ScriptedProvider) -> LessonRun:
    started = LessonRun(lesson, OWN, lambda _: provider, lambda settings, provider: ESTIMATE)
    started.start()
    wait_until(lambda: not started.is_running, "the end of the run")
    return started


def test_each_arm_sends_its_own_history_and_nothing_of_the_person() -> None:
    provider = ScriptedProvider(Script(["Bruno."]), Script(["I am Emily."]))
    outcomes = run(LESSON, provider).outcomes()
    sent = sorted(([message.text for message in request.messages] for request in provider.requests), key=len)
    assert sent == [["Be brief.", "Who?"], ["Be brief.", "It is Bruno.", "Noted.", "Who?"]]
    assert {request.generation for request in provider.requests} == {Generation()}
    assert [len(each.turns) for each in outcomes] == [1, 1]


def test_an_arm_is_as_expected_if_the_model_knew_exactly_where_it_could() -> None:
    def outcome(arm: Arm, *replies: str) -> Outcome:
        one = replace(LESSON, arms=(replace(arm, prompts=("Who?",) * len(replies)),))
        return run(one, ScriptedProvider(*(Script([reply]) for reply in replies))).outcomes()[0]

    assert outcome(TOLD, "It is Bruno!").as_expected is True
    assert outcome(TOLD, "Bruno", "no idea").as_expected is False
    assert outcome(NOT_TOLD, "no idea").as_expected is True
    assert outcome(NOT_TOLD, "bruno").as_expected is False
    assert outcome(replace(TOLD, answer=""), "anything").as_expected is True
    assert as_expected([outcome(TOLD, "Bruno"), outcome(NOT_TOLD, "Bruno")]) is False
    assert as_expected([Outcome(TOLD, (), ())]) is None


def test_an_arm_that_fails_is_asked_again_and_the_others_are_not() -> None:
    provider = ScriptedProvider(Script([], RateLimited("slow")), Script(["I am Emily."]))
    started = run(LESSON, provider)
    failed = [each for each in started.outcomes() if each.error is not None]
    assert [each.error for each in failed] == [RateLimited("slow")]
    provider.enqueue(Script(["Bruno."]))
    started.retry()
    wait_until(lambda: not started.is_running, "the end of the second try")
    assert [each.error for each in started.outcomes()] == [None, None]
    assert len(provider.requests) == 3


def test_another_model_keeps_its_room_for_the_reply_and_the_request_holds_as_much() -> None:
    here, elsewhere = settings_for(TOLD, replace(OWN, provider="local")), settings_for(TOLD, OWN)
    assert (here.max_tokens, here.reserved_for_reply) == (200, 20)
    assert (elsewhere.max_tokens, elsewhere.reserved_for_reply) == (244, 64)
    assert here.window.input_budget == elsewhere.window.input_budget == 180
    assert (here.system_prompt, here.strategy, here.generation) == ("Be brief.", "none", Generation())


def test_a_recording_is_read_as_it_was_and_belongs_to_these_arms_only(tmp_path: Path) -> None:
    outcomes = run(LESSON, ScriptedProvider(Script(["Bruno."]), Script(["I am Emily."]))).outcomes()
    (tmp_path / "9-a.json").write_text(to_json(LESSON, Recorded("m", "2026-11-28", 20, 19, outcomes)))
    assert recorded_of(LESSON, tmp_path) == Recorded("m", "2026-11-28", 20, 19, outcomes)
    assert recorded_of(replace(LESSON, title="Other words"), tmp_path) is not None
    assert recorded_of(replace(LESSON, arms=(replace(TOLD, window=201), NOT_TOLD)), tmp_path) is None
    (tmp_path / "9-a.json").write_text("{")
    assert recorded_of(LESSON, tmp_path) is None
