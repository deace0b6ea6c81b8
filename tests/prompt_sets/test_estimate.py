"""The estimate before a run says what the run then takes."""

from __future__ import annotations

from decimal import Decimal

from lib.messages import Message
from lib.prompt_sets import Check, Prompt
from lib.prompt_sets.estimate import estimate
from lib.tokens import ESTIMATE
from tests.prompt_sets.conftest import Stage, prompts, settings


def test_a_run_sends_what_was_estimated_and_costs_no_more(stage: Stage) -> None:
    stage.priced = True
    asked = [*prompts(3), Prompt("long", "word " * 300, "Be brief."), Prompt("too long", "word " * 5000)]
    chosen = (settings("small"), settings("large", system_prompt="Think first."))
    expected = estimate(asked, chosen, "icontains", None, lambda _: ESTIMATE, stage.find)
    runner = stage.begin(asked, *chosen)
    assert runner.done.wait(30)
    stored = [each for each in stage.stored() if each.error is None]
    for place, share in enumerate(expected.models):
        mine = [each for each in stored if each.model == place]
        assert (share.requests, share.unfit) == (len(mine), 1) == (4, 1)
        assert share.input == sum(each.tokens or 0 for each in mine)
        assert share.most is not None
        assert sum(each.cost or Decimal(0) for each in mine) <= share.most
    assert (expected.requests, expected.judge) == (8, None)
    assert expected.most == sum(each.most or 0 for each in expected.models)


def test_the_judge_is_estimated_apart_with_answers_that_take_all_their_room(stage: Stage) -> None:
    stage.priced = True
    asked = (*prompts(2, Check("judge", "polite")), *prompts(1))
    found = estimate(asked, (settings(), settings("b")), "exact", settings("judge"), lambda _: ESTIMATE, stage.find)
    assert found.judge is not None
    assert found.judge.requests == 4
    assert found.judge.input > 4 * 8
    assert found.requests == 10
    stage.priced = False
    unpriced = estimate(asked, (settings(),), "exact", None, lambda _: ESTIMATE, stage.find)
    assert (unpriced.most, unpriced.unpriced) == (Decimal(0), 3)


def test_a_share_counts_a_request_once(stage: Stage) -> None:
    counted: list[Message] = []

    class Counting:
        name, provenance = ESTIMATE.name, ESTIMATE.provenance

        def count(self, message: Message) -> int:
            return self.count_many([message])[0]

        def count_many(self, messages: list[Message]) -> list[int]:
            counted.extend(messages)
            return [1] * len(messages)

        def template(self, has_system: bool) -> int:
            return 0

    estimate(prompts(50), (settings(system_prompt="Be brief."),), "exact", None, lambda _: Counting(), stage.find)  # type: ignore[arg-type,return-value]  # a counter of lists only
    assert len(counted) == 51
