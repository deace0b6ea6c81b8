"""The low-water cut: seldom, deep, and the same for everybody who works it out."""

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
from tests.support.planning_cases import Case, cases


def plain(case: Case) -> Case:
    """The same with strings for what the user said, as everything has that was typed here."""
    typed = [replace(m, content=m.text) if opens_exchange(m) else m for m in case.history]
    return replace(case, history=typed)


def turns_of(case: Case) -> list[tuple[Case, ContextPlan]]:
    """The request of every turn of a conversation, as it was made when its user message was new."""
    starts = [at for at in case.slow.starts if at < len(case.history) and at not in case.muted]
    turns = [replace(case, history=case.history[:at], prompt=case.history[at].content) for at in starts]
    return [(turn, turn.plan("low_water")) for turn in turns]


def cut(case: Case, plan: ContextPlan) -> int:
    """The exchange behind the newest one that was left out for its size."""
    fates = zip(plan.items, case.slow.exchange_of, strict=True)
    return max((e + 1 for item, e in fates if item.reason == "over_budget" and e is not None), default=0)


@given(case=cases(), pins=st.booleans())
def test_it_stays_on_its_cut_until_the_budget_is_passed(case: Case, pins: bool) -> None:
    case = replace(plain(case), muted=frozenset(), pinned=case.pinned if pins else frozenset())
    before = None
    for turn, now in turns_of(case):
        if before is not None:
            its_cut, then = before
            slow = turn.slow
            if slow.size(its_cut) <= turn.budget:
                assert cut(turn, now) == its_cut
                assert now.included[: len(then.included)] == then.included  # the prefix is the same, message by message
            else:
                before_newest = [item for item in now.items if item.included][:-1]
                only_newest = all(item.reason in ("system", "pinned") for item in before_newest)
                assert only_newest or cut(turn, now) > its_cut
                assert only_newest or now.input_tokens <= turn.options.low(turn.budget)
        before = cut(turn, now), now


@given(case=cases(), cuts=st.data())
def test_replays_processes_and_restarts_agree(case: Case, cuts: st.DataObject) -> None:
    case = plain(case)
    shared = TokenLedger(case.counter)
    case.plan("low_water", ledger=shared)  # one process knows the whole conversation and walked over it
    turns = turns_of(case)
    for turn, alone in cuts.draw(st.permutations(turns)):
        totals = shared.sync(case.history)
        candidates = replace(turn.candidates(), totals=totals)  # which knows more than this request does
        again = plan_context(candidates, turn.window, "low_water", Marks.of(turn.muted, turn.pinned), turn.options)
        assert again.runs == alone.runs


def grown(turns: int, seed: int = 7) -> list[Message]:
    rng = random.Random(seed)
    return [
        said
        for n in range(turns)
        for said in (user("q" * rng.randrange(40, 400)), assistant(f"{n}" + "a" * rng.randrange(40, 800)))
    ]


def test_it_cuts_seldom_where_leaving_out_the_oldest_cuts_every_turn() -> None:
    case = Case(grown(200), 4000)
    changes = {}
    for strategy in ("low_water", "oldest_first"):
        starts = [
            next(
                (
                    run.stop
                    for run in replace(case, history=case.history[: 2 * n]).plan(strategy).runs
                    if not run.included
                ),
                0,
            )
            for n in range(200)
        ]
        changes[strategy] = sum(a != b for a, b in pairwise(starts))
    assert changes["low_water"] * 5 < changes["oldest_first"]


def test_the_low_mark_is_kept_between_half_and_nine_tenths() -> None:
    assert [TrimOptions(low_mark=mark).low(1000) for mark in (0.0, 0.7, 2.0, float("nan"))] == [500, 700, 900, 500]


def test_threads_that_walk_at_once_agree() -> None:
    case = Case(grown(3000), 2000)
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


def test_what_is_remembered_about_a_history_stays_small() -> None:
    case = Case(grown(20), 100)
    ledger = TokenLedger(case.counter)
    for budget in range(100, 400):
        replace(case, budget=budget).plan("low_water", ledger=ledger)
    assert len(ledger.sync(case.history).memo) == WALKS_KEPT
