"""Decisions add up, differences match a comparison message by message, and silent cuts by a server are noticed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.decisions import decisions, difference, dropped_at, shortfall
from lib.analysis.replay import replay
from lib.analysis.request_view import RequestView, fate_of, view_of_plan, view_of_record
from lib.analysis.requests import MessageSizes, records_of
from lib.context import STRATEGIES, Marks, plan_context
from lib.context.candidates import Candidates
from lib.context.plan import ContextWindow
from lib.messages import Message, Usage, user
from lib.tokens import Provenance
from lib.tokens.ledger import TokenLedger
from lib.turns import Turn
from tests.support.cases.conversations import histories, texts
from tests.support.cases.planned_conversations import SETTINGS, talk
from tests.support.counters import WordCounter

WORDS = WordCounter()


def adds_up(view: RequestView, whole: int) -> None:
    made = decisions(view)
    assert [decision.index for decision in made] == list(range(view.total))
    included = [decision for decision in made if decision.included]
    assert view.tokens == whole == view.base + sum(decision.tokens for decision in included)
    assert view.left_out_tokens == sum(decision.tokens for decision in made if not decision.included)
    assert view.sent == len(included)
    for decision in made:
        assert fate_of(view, decision.index) == (decision.included, decision.reason)


@given(histories(), texts, st.integers(20, 300), st.sampled_from(sorted(STRATEGIES)), st.data())
def test_every_message_of_a_plan_has_one_decision_and_they_add_up(
    history: list[Message], prompt: str, window: int, strategy: str, data: st.DataObject
) -> None:
    muted = data.draw(st.sets(st.integers(0, len(history))))
    candidates = Candidates.gather(prompt, history, "new one", TokenLedger(WORDS))
    plan = plan_context(candidates, ContextWindow(window, 8), strategy, Marks.of(muted))
    adds_up(view_of_plan(plan), plan.input_tokens)


@given(histories(), texts, st.integers(20, 300), st.sampled_from(sorted(STRATEGIES)))
def test_every_message_of_a_record_has_one_decision_and_they_add_up(
    history: list[Message], prompt: str, window: int, strategy: str
) -> None:
    sizes = MessageSizes(WORDS, history)
    for record in replay(history, sizes, replace(SETTINGS, strategy=strategy, max_tokens=window, system_prompt=prompt)):
        adds_up(view_of_record(record, sizes, history), sizes.parts(record).sent)


def test_messages_dropped_for_their_size_would_have_passed_the_budget() -> None:
    history, turns, _ = talk(12, replace(SETTINGS, strategy="oldest_first"))
    sizes = MessageSizes(WORDS, history)
    record = records_of(history, turns)[-1]
    view = view_of_record(record, sizes, history)
    assert view.window is not None
    made = decisions(view)
    dropped = [decision for decision in made if decision.reason == "over_budget"]
    assert dropped
    newest_dropped = dropped[-1].index
    # the dropped exchange begins at the question before it: with all of it, the request passes the budget
    first_of_exchange = max(at for at in range(newest_dropped + 1) if history[at].role == "user")
    assert made[first_of_exchange].with_it > view.window.input_budget
    assert all(decision.with_it <= view.window.input_budget for decision in made if decision.included)


def test_a_slice_of_the_decisions_equals_that_slice_of_all_of_them() -> None:
    history, turns, _ = talk(12, SETTINGS)
    view = view_of_record(records_of(history, turns)[-1], MessageSizes(WORDS, history), history)
    assert decisions(view, 5, 9) == decisions(view)[5:9]
    assert decisions(view, 20, 10_000) == decisions(view)[20:]


@given(histories(), st.integers(20, 200), st.sampled_from(sorted(STRATEGIES)))
def test_differences_match_a_comparison_message_by_message(history: list[Message], window: int, strategy: str) -> None:
    sizes = MessageSizes(WORDS, history)
    records = replay(history, sizes, replace(SETTINGS, strategy=strategy, max_tokens=window))
    for before, now in pairwise(records):
        old, new = (
            [at for start, stop, included, _ in record.runs if included for at in range(start, stop)]
            for record in (before, now)
        )
        found = difference(before, now, sizes)
        assert spelt(found.entered) == sorted(set(new) - set(old))
        assert spelt(found.left) == sorted(set(old) - set(new))
        assert spelt(found.stayed) == sorted(set(old) & set(new))
        differing = next((min(a, b) for a, b in zip(old, new, strict=False) if a != b), None)
        if differing is None and len(new) < len(old):
            differing = old[len(new)]
        assert found.broken_at == differing


def spelt(ranges: list[tuple[int, int]]) -> list[int]:
    return [at for start, stop in ranges for at in range(start, stop)]


def test_the_first_request_without_a_message_is_found() -> None:
    history, turns, _ = talk(12, SETTINGS)
    records = records_of(history, turns)
    dropped = dropped_at(records, 0)
    assert dropped is not None
    held = [any(start <= 0 < stop and included for start, stop, included, _ in record.runs) for record in records]
    assert held.index(False) == records.index(dropped)
    assert dropped_at(records, records[-1].at) is None


def turn_with(read: int | None, sent: int = 1000, provenance: Provenance = "counted") -> Turn:
    _, turns, _ = talk(1, SETTINGS)
    assert turns[0].plan is not None
    plan = replace(turns[0].plan, input_tokens=sent, provenance=provenance)
    return replace(turns[0], plan=plan, usage=Usage(input_tokens=read, output_tokens=1))


@pytest.mark.parametrize(
    ("read", "provenance", "missing"),
    [
        (1000, "counted", None),
        (990, "counted", None),
        (512, "counted", 488),
        (None, "counted", None),
        (1400, "counted", None),
        (700, "estimated", None),
        (300, "estimated", 700),
        (700, "assumed", None),
        (500, "assumed", 500),
        (800, "reconstructed", 200),
    ],
)
def test_a_request_cut_by_the_server_is_noticed_and_a_counters_error_is_not(
    read: int | None, provenance: Provenance, missing: int | None
) -> None:
    assert shortfall(turn_with(read, provenance=provenance)) == missing


def test_a_small_gap_is_not_a_cut() -> None:
    assert shortfall(turn_with(20, sent=50)) is None


def test_an_unrecorded_request_is_assumed_to_hold_everything_before_it() -> None:
    history = [user("a b"), Message("assistant", "c"), user("d")]
    sizes = MessageSizes(WORDS, history)
    view = view_of_record(records_of(history, [])[-1], sizes, history)
    assert (view.total, view.sent, view.window, view.preamble) == (3, 3, None, ())
