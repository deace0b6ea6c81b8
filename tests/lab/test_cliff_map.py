"""Every cell of a cliff map is what the chat would decide, every marker matches a slow search, and a map is quick."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.context import STRATEGIES, Marks, TrimOptions, plan_context
from lib.context.candidates import Candidates
from lib.context.plan import ContextWindow, PlannedMessage
from lib.lab.break_points import Marker, markers
from lib.lab.cliff_map import CliffMap, budgets, cliff_map
from lib.messages import Message, assistant, system, user
from lib.tokens import ESTIMATE
from lib.tokens.ledger import TokenLedger
from lib.tool_calls import opens_exchange
from tests.support.call_counts import calls_during
from tests.support.cases.conversations import calling, result
from tests.support.cases.planning_cases import Case, cases
from tests.support.counters import Counting
from tests.support.slow_strategies import calls_of, results_of, unpaired

AT = (0, 5, 20, 60, 61, 150, 400, 2000)
names = st.sampled_from(sorted(STRATEGIES))


def made_of(case: Case, strategy: str, at: tuple[int, ...] = AT) -> CliffMap:
    return cliff_map(case.candidates(), strategy, at, case.options, Marks.of(case.muted, case.pinned))


def items_at(case: Case, strategy: str, budget: int) -> list[PlannedMessage]:
    """The cells of one budget, by a separate plan."""
    window = ContextWindow(budget + 50, 50)
    made = plan_context(case.candidates(), window, strategy, Marks.of(case.muted, case.pinned), case.options)
    return [item for item in made.items if item.index is not None]


@given(cases(), names)
def test_every_cell_is_what_a_plan_at_that_budget_decides(case: Case, strategy: str) -> None:
    for row in made_of(case, strategy).rows:
        plan = plan_context(
            case.candidates(), ContextWindow(row.budget, 0), strategy, Marks.of(case.muted, case.pinned), case.options
        )
        assert (row.input_tokens, row.fits, row.fallback) == (
            plan.input_tokens,
            plan.fits,
            plan.fallback and plan.fallback.text,
        )
        cells = [(at, run.included, run.reason) for run in row.runs for at in range(run.start, run.stop)]
        slow = items_at(case, strategy, row.budget)
        assert cells == [(item.index, item.included, item.reason) for item in slow]
        assert [row.sends(at) for at, _, _ in cells] == [included for _, included, _ in cells]


@given(cases(), names)
def test_a_message_survives_from_the_budget_above_which_it_is_always_sent(case: Case, strategy: str) -> None:
    made = made_of(case, strategy)
    sent = {budget: {item.index: item.included for item in items_at(case, strategy, budget)} for budget in AT}
    slow = {
        index: min((b for b in AT if all(sent[above][index] for above in AT if above >= b)), default=None)
        for index in sent[0]
    }
    assert {index: made.survives(index) for index in slow if index is not None} == slow
    ranges = list(made.survivals())
    assert [(at, found) for start, stop, found in ranges for at in range(start, stop)] == sorted(slow.items())
    assert all(before[2] != now[2] for before, now in pairwise(ranges))


def broken_slowly(case: Case, strategy: str, budget: int, facts: Collection[int]) -> set[tuple[str, int | None]]:
    """What breaks at one budget, found message by message."""
    items = items_at(case, strategy, budget)
    sent = {item.index: item.included for item in items}
    found: set[tuple[str, int | None]] = {("fact", at) for at in facts if not sent[at]}
    candidates = case.candidates()
    if case.instructions.strip() and candidates.system_tokens > budget:
        found.add(("instructions", None))
    question: int | None = None
    bad = unpaired(case.history)
    for at, message in enumerate(case.history):
        question = at if opens_exchange(message) else question
        if message.is_system:
            found |= set() if sent[at] else {("instructions", at)}
        elif question is not None and sent[at] and not sent[question]:
            found.add(("split", question))
        if calls_of(message) and at not in bad:
            stop = next((n for n in range(at + 1, len(items)) if not results_of(items[n].message)), len(items))
            if len({sent[n] for n in range(at, min(stop, len(case.history))) if n not in bad}) > 1:
                found.add(("pair", at))
    return found


@given(cases(), names, st.data())
def test_markers_match_a_search_message_by_message(case: Case, strategy: str, data: st.DataObject) -> None:
    facts = data.draw(st.sets(st.integers(0, len(case.history) - 1), max_size=3)) if case.history else set()
    slow = {budget: broken_slowly(case, strategy, budget, facts) for budget in AT}
    found = markers(made_of(case, strategy), case.candidates(), facts)
    expected = {thing: tuple(b for b in AT if thing in slow[b]) for things in slow.values() for thing in things}
    assert {(marker.kind, marker.index): marker.budgets for marker in found} == expected
    assert len(found) == len(expected)


@given(cases(), st.sampled_from(sorted(set(STRATEGIES) - {"source_trim"})))
def test_only_source_trim_splits_exchanges_and_pairs(case: Case, strategy: str) -> None:
    assert {marker.kind for marker in markers(made_of(case, strategy), case.candidates())} <= {"instructions"}


def test_source_trim_breaks_a_pair_and_sends_a_reply_without_its_question() -> None:
    history = [user("plan " * 80), assistant("ok"), user("weather? " * 40), calling("c0"), result("c0", "sun " * 40)]
    case = Case([*history, assistant("sunny"), user("thanks"), assistant("welcome")], prompt="and now?")
    made = made_of(case, "source_trim", (148, 152, 2000))
    assert [[at for at in range(9) if row.sends(at)] for row in made.rows[:2]] == [
        [0, 4, 5, 6, 7, 8],
        [0, 3, 4, 5, 6, 7, 8],
    ]
    assert markers(made, case.candidates(), [0]) == [Marker("split", 2, (148, 152)), Marker("pair", 3, (148,))]
    assert [made.survives(at) for at in (0, 3, 4)] == [148, 152, 148]


def test_a_message_that_is_not_stored_raises() -> None:
    made = made_of(Case([user("a"), assistant("b")], prompt=None), "oldest_first")
    assert made.survives(1) == AT[0]
    with pytest.raises(IndexError):
        made.survives(2)
    with pytest.raises(IndexError):
        made.survives(-1)


def test_a_message_dropped_at_a_larger_budget_survives_only_above_it() -> None:
    rows = cliff_map(Case([user("a"), assistant("b")]).candidates(), "none", (300, 600, 900, 1200)).rows
    gone = replace(rows[1], runs=tuple(run._replace(included=False) for run in rows[1].runs))
    assert CliffMap((300, 600, 900, 1200), (rows[0], gone, *rows[2:])).survives(0) == 900


@pytest.mark.parametrize(
    ("upto", "steps", "expected"),
    [(4800, 5, (300, 600, 1200, 2400, 4800)), (400, 2, (200, 400)), (3, 60, (1, 2, 3)), (1, 60, (1,)), (0, 9, (1,))],
)
def test_budgets_grow_by_a_factor(upto: int, steps: int, expected: tuple[int, ...]) -> None:
    assert budgets(upto, steps) == expected


@given(st.integers(1, 2_000_000), st.integers(1, 80))
def test_budgets_end_with_the_largest_and_are_never_more_than_requested(upto: int, steps: int) -> None:
    made = budgets(upto, steps)
    assert made == tuple(sorted(set(made)))
    assert (made[-1], made[0] > 0, len(made) <= steps) == (upto, True, True)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_map_of_a_long_conversation_stays_small_and_counts_nothing_again(strategy: str) -> None:
    history: list[Message] = [said for n in range(5000) for said in (user(f"question {n}"), assistant("a" * 200))]
    history[4000:4000] = [system("s"), user("look"), calling("c0"), result("c0"), assistant("found")]
    counter = Counting()
    ledger = TokenLedger(counter)
    candidates = Candidates.gather("Be brief.", history, "new", ledger)
    remembered = dict(candidates.totals.memo)
    counted = counter.calls
    made = cliff_map(candidates, strategy, budgets(128_000), TrimOptions(), Marks.of({0}, {100}))
    found = markers(made, candidates, [100, 5000])
    assert counter.calls == counted
    assert len(made.rows) == 60
    assert sum(len(row.runs) for row in made.rows) < 60 * 12
    assert len(list(made.survivals())) < 60 * 4
    assert all(marker.budgets for marker in found)
    assert candidates.totals.memo == remembered  # what the chat's planning keeps is not pushed out


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_the_work_for_a_map_grows_no_faster_than_the_conversation(strategy: str) -> None:
    def calls(exchanges: int) -> int:
        history = [said for n in range(exchanges) for said in (user(f"question {n}"), assistant("a" * 200))]
        candidates = Candidates.gather("Be brief.", history, "new", TokenLedger(Counting()))
        return calls_during(lambda: cliff_map(candidates, strategy, budgets(128_000), TrimOptions()))

    assert calls(2000) < 12 * calls(200)


def test_a_map_works_with_the_estimate() -> None:
    candidates = Candidates.gather("", [user("hello")], None, TokenLedger(ESTIMATE))
    assert cliff_map(candidates, "none", [100, 2, 100]).budgets == (2, 100)


@given(cases(), names)
def test_a_reversal_is_where_a_larger_budget_drops_what_the_next_smaller_one_sends(case: Case, strategy: str) -> None:
    made = made_of(case, strategy)
    size = made.rows[0].runs[-1].stop if made.rows[0].runs else 0
    expected = []
    for smaller, larger in pairwise(row for row in made.rows if row.fits):
        lost = [at for at in range(size) if smaller.sends(at) and not larger.sends(at)]
        expected += [(lost[0], smaller.budget, larger.budget)] if lost else []
    found = made.reversals()
    assert [(each.index, each.smaller.budget, each.larger.budget) for each in found] == expected


def test_batches_make_a_larger_budget_drop_more() -> None:
    talk = [said for n in range(12) for said in (user(f"question {n} " * 9), assistant("word " * 40))]
    made = cliff_map(Candidates.gather("", talk, None, TokenLedger(ESTIMATE)), "low_water", budgets(900))
    assert made.reversals()
    assert not cliff_map(
        Candidates.gather("", talk, None, TokenLedger(ESTIMATE)), "oldest_first", budgets(900)
    ).reversals()
