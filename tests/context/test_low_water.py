"""The cut of `low_water`: it moves rarely, by much at a time, and is the same however it is computed."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lib.context import Marks, TrimOptions, plan_context
from lib.context.plan import ContextPlan
from lib.context.strategies.low_water import WALKS_KEPT
from lib.messages import Message, assistant, user
from lib.tokens.ledger import TokenLedger
from lib.tool_calls import opens_exchange
from tests.support.cases.planning_cases import Case, cases


def typed_case(case: Case) -> Case:
    """The same case with strings as the content of user messages, as if they had been typed here."""
    typed = [replace(m, content=m.text) if opens_exchange(m) else m for m in case.history]
    return replace(case, history=typed)


def turns_of(case: Case) -> list[tuple[Case, ContextPlan]]:
    """The request of every turn of a conversation, as it was when its user message was new."""
    starts = [at for at in case.slow.starts if at < len(case.history) and at not in case.muted]
    turns = [replace(case, history=case.history[:at], prompt=case.history[at].content) for at in starts]
    return [(turn, turn.plan("low_water")) for turn in turns]


def cut(case: Case, plan: ContextPlan) -> int:
    """The exchange after the newest one that was left out for its size."""
    items = zip(plan.items, case.slow.exchange_of, strict=True)
    return max((e + 1 for item, e in items if item.reason in ("over_budget", "batch") and e is not None), default=0)


@given(case=cases(), pins=st.booleans())
def test_the_cut_stays_until_a_request_exceeds_the_budget(case: Case, pins: bool) -> None:
    case = replace(typed_case(case), muted=frozenset(), pinned=case.pinned if pins else frozenset())
    last: tuple[int, ContextPlan] | None = None
    for turn, plan in turns_of(case):
        if last is not None:
            last_cut, last_plan = last
            if turn.slow.size(last_cut) <= turn.budget:
                assert cut(turn, plan) == last_cut
                assert plan.included[: len(last_plan.included)] == last_plan.included  # the beginning is the same
            else:
                before_newest = [item for item in plan.items if item.included][:-1]
                only_newest = all(item.reason in ("system", "pinned") for item in before_newest)
                assert only_newest or cut(turn, plan) > last_cut
                assert only_newest or plan.input_tokens <= turn.options.low(turn.budget)
        last = cut(turn, plan), plan


@given(case=cases(), data=st.data())
def test_the_cut_of_a_turn_is_the_same_in_a_replay_or_another_process(case: Case, data: st.DataObject) -> None:
    case = typed_case(case)
    shared = TokenLedger(case.counter)
    case.plan("low_water", ledger=shared)  # this ledger knows the whole conversation, walk included
    turns = turns_of(case)
    for turn, plan_alone in data.draw(st.permutations(turns)):
        totals = shared.sync(case.history)
        candidates = replace(turn.candidates(), totals=totals)  # they know messages that this request does not
        again = plan_context(candidates, turn.window, "low_water", Marks.of(turn.muted, turn.pinned), turn.options)
        assert again.runs == plan_alone.runs


def conversation(turns: int, seed: int = 7) -> list[Message]:
    rng = random.Random(seed)
    return [
        message
        for n in range(turns)
        for message in (user("q" * rng.randrange(40, 400)), assistant(f"{n}" + "a" * rng.randrange(40, 800)))
    ]


def test_the_cut_moves_less_often_than_that_of_oldest_first() -> None:
    case = Case(conversation(200), 4000)
    changes = {}
    for strategy in ("low_water", "oldest_first"):
        plans = [replace(case, history=case.history[: 2 * n]).plan(strategy) for n in range(200)]
        starts = [next(run.start for run in plan.runs if run.included) for plan in plans]
        changes[strategy] = sum(a != b for a, b in pairwise(starts))
    assert changes["low_water"] * 5 < changes["oldest_first"]


def test_the_low_mark_is_limited_to_half_and_nine_tenths() -> None:
    assert [TrimOptions(low_mark=mark).low(1000) for mark in (0.0, 0.7, 2.0, float("nan"))] == [500, 700, 900, 500]


def test_threads_that_plan_at_once_agree() -> None:
    case = Case(conversation(3000), 2000)
    ledger = TokenLedger(case.counter)
    ledger.sync(case.history)
    found: list[ContextPlan] = []
    threads = [threading.Thread(target=lambda: found.append(case.plan("low_water", ledger=ledger))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({plan.runs for plan in found}) == 1
    assert found[0].runs == case.plan("low_water").runs


def test_only_the_last_walks_are_kept() -> None:
    case = Case(conversation(20), 100)
    ledger = TokenLedger(case.counter)
    for budget in range(100, 400):
        replace(case, budget=budget).plan("low_water", ledger=ledger)
    assert len(ledger.sync(case.history).memo) == WALKS_KEPT
