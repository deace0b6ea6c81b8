"""A run asks what has no answer, stores each answer at once, waits as it is told, and stops where it should."""

from __future__ import annotations

import json
import threading
from decimal import Decimal

import pytest

from lib.errors import TurnInProgress
from lib.prompt_sets import Check, Prompt
from lib.prompt_sets.running.runner import Runner
from lib.prompt_sets.runs import unpack_run
from lib.spending import from_book
from tests.prompt_sets.conftest import Stage, prompts, settings
from tests.support.waiting import wait_until

TOO_MANY = (429, {"retry-after": "7"})


def test_every_model_is_asked_every_prompt_and_each_answer_is_stored_with_its_verdict(stage: Stage) -> None:
    asked = (Prompt("a", "2 + 2?", "Count.", "4"), Prompt("b", "Hello", "", "bye"), Prompt("c", "Anything"))
    stage.exam.reply = lambda model, prompt: "It is 4." if "2" in prompt and model == "large" else "Well"
    runner = stage.begin(asked, settings("large"), settings("small", system_prompt="Be brief."))
    assert runner.done.wait(30)
    assert runner.run.state == "done"
    found = {each.place: each for each in stage.stored()}
    outcomes = [[found[prompt, model].outcome for model in (0, 1)] for prompt in (0, 1, 2)]
    assert outcomes == [["passed", "failed"], ["failed", "failed"], ["unchecked", "unchecked"]]
    first = found[0, 0]
    assert (first.text, first.usage.input_tokens, first.usage.output_tokens) == ("It is 4.", 4, 3)
    assert (first.tokens, first.provenance, first.cost, first.attempts) == (4, "estimated", None, 1)
    assert len(first.sha256) == 64
    sent = {(body["model"], body["messages"][-1]["content"]): body["messages"] for body in stage.exam.asked}
    assert len(stage.exam.asked) == len(sent) == 6
    assert sent["small", "2 + 2?"][0] == {"role": "system", "content": "Count."}
    assert sent["small", "Hello"][0] == {"role": "system", "content": "Be brief."}
    assert [message["role"] for message in sent["large", "Hello"]] == ["user"]
    stored = stage.store.prompt_runs.run("", "run-1")
    assert stored is not None
    assert (unpack_run(stored.head), stored.is_held) == (runner.run, False)


@pytest.mark.parametrize(("places", "most"), [(1, 1), (3, 3)])
def test_an_endpoint_is_asked_a_few_at_once_and_no_more(stage: Stage, places: int, most: int) -> None:
    stage.places, stage.exam.gate = places, threading.Event()
    runner = stage.begin(prompts(8))
    wait_until(lambda: len(stage.exam.asked) == most)
    stage.exam.gate.set()
    assert runner.done.wait(30)
    assert stage.exam.most_at_once == most
    assert len(stage.stored()) == 8


def test_after_a_rate_limit_it_waits_as_long_as_it_is_told_and_asks_again(stage: Stage) -> None:
    def pass_time(seconds: float) -> None:
        stage.waited.append(seconds)
        runner._lanes["exam"]._not_before = 0.0  # as if the seconds had passed

    stage.places, stage.waits = 1, pass_time
    stage.exam.refusals["question 1"] = [TOO_MANY, TOO_MANY]
    runner: Runner = stage.begin(prompts(3))
    assert runner.done.wait(30)
    assert [6 < each <= 7 for each in stage.waited] == [True, True]
    assert stage.exam.prompts == ["question 0", "question 1", "question 1", "question 1", "question 2"]
    assert [each.attempts for each in stage.stored()] == [1, 3, 1]


def test_other_failures_are_tried_again_after_longer_and_longer_waits(stage: Stage) -> None:
    stage.exam.refusals = {"question 0": [(500, {})] * 2, "question 1": [(500, {})] * 5, "question 2": [(400, {})]}
    runner = stage.begin(prompts(3))
    assert runner.done.wait(30)
    assert sorted(stage.waited) == [1.0, 1.0, 2.0, 2.0, 4.0, 8.0]
    assert [each.outcome for each in stage.stored()] == ["passed", "error", "error"]
    assert runner.run.state == "stopped"
    assert "2 of the requests have no answer" in runner.run.note
    before = len(stage.exam.asked)
    runner = stage.again(runner.run)  # only what has no answer is asked again
    assert runner.done.wait(30)
    assert runner.run.state == "done"
    assert sorted(stage.exam.prompts[before:]) == ["question 1", "question 2"]


def test_an_endpoint_that_never_answers_is_given_up(stage: Stage) -> None:
    stage.places, stage.exam.refusals["*"] = 1, [(503, {})] * 999
    runner = stage.begin(prompts(40))
    assert runner.done.wait(30)
    assert len(stage.exam.asked) == 25
    assert "5 requests in a row were not answered" in runner.run.note


def test_a_refused_key_ends_it_after_the_first_request(stage: Stage) -> None:
    stage.places, stage.exam.refusals["*"] = 1, [(401, {})]
    runner = stage.begin(prompts(5))
    assert runner.done.wait(30)
    assert (len(stage.exam.asked), stage.stored()) == (1, [])
    assert (runner.run.state, "sk-exam" in runner.run.note) == ("stopped", False)
    assert "Check the key" in runner.run.note


def test_it_is_cancelled_at_once_while_it_waits_and_goes_on_after_a_restart(stage: Stage) -> None:
    waiting = threading.Event()

    def wait(seconds: float) -> None:
        waiting.set()
        runner._stopped.wait(seconds)

    stage.places, stage.waits = 1, wait
    stage.exam.refusals["question 2"] = [(429, {"retry-after": "100"})]
    runner: Runner = stage.begin(prompts(4))
    assert waiting.wait(30)
    runner.cancel()
    assert runner.done.wait(30)
    assert (runner.run.state, len(stage.stored())) == ("stopped", 2)
    stage.waits = None
    again = stage.again(runner.run)
    assert again.done.wait(30)
    assert (again.run.state, len(stage.stored())) == ("done", 4)
    assert stage.exam.prompts == ["question 0", "question 1", "question 2", "question 2", "question 3"]


def test_a_run_is_carried_out_once_at_a_time_and_not_after_it_was_deleted(stage: Stage) -> None:
    stage.exam.gate = threading.Event()
    runner = stage.begin(prompts(2))
    with pytest.raises(TurnInProgress):
        stage.again(runner.run)
    stage.store.prompt_runs.delete("", "run-1")
    stage.exam.gate.set()
    assert runner.done.wait(30)
    assert stage.store.prompt_runs.run("", "run-1") is None
    assert "deleted" in runner.run.note


def test_the_cap_stops_it_before_a_request_that_might_cross_it(stage: Stage) -> None:
    stage.priced = True
    # a request: 3 tokens counted, 8 reserved for the reply: at most $1.10; it costs 2 + 4 tokens: $0.60
    runner = stage.begin(prompts(10), cap=Decimal("3.00"))
    assert runner.done.wait(30)
    assert runner.run.state == "capped"
    assert "The spending cap for this run is $3.00" in runner.run.note
    assert len(stage.exam.asked) == len(stage.stored()) == 4
    spent = from_book(stage.store.spending.balance("session:prompt-run-run-1").spent)
    assert spent == sum(each.cost or 0 for each in stage.stored()) == Decimal("2.40")
    again = stage.again(runner.run)  # what was spent before the restart still counts
    assert again.done.wait(30)
    assert len(stage.exam.asked) == 4
    again = stage.again(runner.run, cap=Decimal("99"))
    assert again.done.wait(30)
    assert (again.run.state, len(stage.stored())) == ("done", 10)


def test_the_day_of_its_owner_is_respected_too(stage: Stage) -> None:
    stage.priced = True
    stage.store.spending.set_cap("days:-", 2_000_000_000)
    runner = stage.begin(prompts(10))
    assert runner.done.wait(30)
    assert runner.run.state == "capped"
    assert "for today is $2.00" in runner.run.note
    assert len(stage.exam.asked) == 2


def test_a_judge_is_asked_with_everything_and_its_cost_is_apart(stage: Stage) -> None:
    def reply(model: str, prompt: str) -> str:
        if model != "judge":
            return "An answer"
        return 'So: {"pass": true, "reason": "It is\nfine"}' if "question 0" in prompt else "FAIL. It is not."

    stage.priced, stage.exam.reply = True, reply
    runner = stage.begin(prompts(2, Check("judge", "is polite")), judge=settings("judge"), cap=Decimal("99"))
    assert runner.done.wait(30)
    one, two = stage.stored()
    assert (one.outcome, one.judged, two.outcome, two.judged) == ("passed", True, "failed", True)
    assert one.reason == "judge judged that it passes: It is fine"
    bodies = [body for body in stage.exam.asked if body["model"] == "judge"]
    asked = json.loads(bodies[0]["messages"][-1]["content"])
    assert asked["a good answer"] == "is polite"
    assert asked["answer"] == "An answer"
    assert two.reason == "judge judged that it fails: It is not."
    assert two.judge_cost is not None
    assert two.cost == Decimal("0.40")
    spent = from_book(stage.store.spending.balance("session:prompt-run-run-1").spent)
    assert spent == sum((each.cost or 0) + (each.judge_cost or 0) for each in (one, two))


def test_a_judge_without_a_verdict_leaves_the_answer_and_is_asked_again_later(stage: Stage) -> None:
    stage.exam.reply = lambda model, prompt: "Hm" if model == "judge" else "An answer"
    runner = stage.begin(prompts(2, Check("judge", "is polite")), judge=settings("judge"))
    assert runner.done.wait(30)
    assert [each.outcome for each in stage.stored()] == ["unjudged", "unjudged"]
    assert "judge gave no verdict: Hm" in stage.stored()[0].reason
    stage.exam.reply = lambda model, prompt: '{"pass": true}' if model == "judge" else "Another answer"
    again = stage.again(runner.run)
    assert again.done.wait(30)
    assert [(each.outcome, each.text) for each in stage.stored()] == [("passed", "An answer")] * 2


def test_a_prompt_that_does_not_fit_is_not_sent(stage: Stage) -> None:
    runner = stage.begin([Prompt("a", "word " * 400)], settings(max_tokens=64))
    assert runner.done.wait(30)
    assert stage.exam.asked == []
    assert "It was not sent" in str(stage.stored()[0].error)
