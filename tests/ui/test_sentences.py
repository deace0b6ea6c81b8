"""Every sentence of the context-window page and the gauge that states a fact, recomputed from the stored records."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.decisions import Decision, decisions
from lib.analysis.request_view import RequestView, view_of_record
from lib.analysis.requests import MessageSizes, RequestRecord, records_of
from lib.context import STRATEGIES
from lib.context.plan import ContextPlan
from lib.context.reasons import REASON_TEXT
from lib.messages import Message, assistant, user
from lib.stored_turns import read_turn
from lib.tokens import ESTIMATE
from lib.tool_calls import opens_exchange
from lib.turns import PlanSummary, Turn
from lib.ui.chat import composer
from lib.ui.context_window import lost_facts, request_rows, sentences
from lib.ui.format import numbers
from tests.support.cases.planned_conversations import SETTINGS, talk
from tests.support.cases.planning_cases import Case, CostlySystemCounter, cases
from tests.support.counters import WordCounter
from tests.support.slow_strategies import unpaired

BATCHING = ("low_water", "summarize")
chosen = st.sampled_from(sorted(STRATEGIES))


@dataclass(frozen=True)
class Stored:
    """One request as it is read back from the store, beside the plan it was sent with."""

    case: Case
    plan: ContextPlan
    history: list[Message]
    record: RequestRecord
    view: RequestView

    @property
    def budget(self) -> int:
        return self.plan.window.input_budget

    def running_total(self, decision: Decision) -> int:
        """The request with this message's exchange and everything after it, counted message by message."""
        items = list(self.plan.items)
        start = decision.index
        if self.plan.strategy not in ("source_trim", "none"):
            while start and not opens_exchange(self.history[start]):
                start -= 1
        lost = {} if self.plan.strategy in ("source_trim", "none") else unpaired(self.history[: self.record.at])
        sent = [
            item
            for item in items
            if item.reason == "system"
            or (item.index is not None and item.index >= start and item.reason != "muted" and item.index not in lost)
            or (item.included and (item.reason == "pinned" or self.plan.strategy == "source_trim"))
        ]
        if self.plan.strategy == "none":
            sent = [item for item in sent if item.index is None or item.index >= start]
        size = sum(item.tokens for item in sent)
        if self.plan.strategy in ("source_trim", "none"):
            return size + self.plan.template_tokens
        return size + self.case.counter.template(bool(sent) and sent[0].message.is_system)


def stored(case: Case, strategy: str, at: int, forget: bool = False) -> Stored:
    """The turn at this user message, planned, stored, and read again. With `forget`, as an older version stored it."""
    history = [replace(m, content=m.text) if opens_exchange(m) else m for m in case.history]
    case = replace(case, history=history[:at], prompt=history[at].text, muted=case.muted - {at})
    plan = case.plan(strategy)
    written = json.loads(json.dumps(PlanSummary.of(plan).to_dict()))
    if forget:
        del written["batch_target"]
        written["runs"] = [[*run[:3], "over_budget" if run[3] == "batch" else run[3]] for run in written["runs"]]
    made = Turn("1", history[at].text, "", "complete", "openai", "m", case.instructions, 0.0)
    turn = read_turn(made.to_dict() | {"plan": written}, 1)
    record = next(one for one in records_of(history, [turn]) if one.at == at)
    assert record.recorded
    return Stored(case, plan, history, record, view_of_record(record, MessageSizes(case.counter, history), history))


@st.composite
def requests(draw: st.DrawFn) -> list[Stored]:
    """One conversation that often does not fit, under every strategy."""
    case = draw(cases())
    sizes = draw(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 20)), max_size=10))
    talked = [message for asked, told in sizes for message in (user("ask " * asked), assistant("tell " * told))]
    history = [*case.history, *talked]
    size = sum(map(case.counter.count, history))
    case = replace(case, history=[*history, user("new")], budget=draw(st.integers(size // 4, size + 20)))
    return [stored(case, strategy, len(history)) for strategy in STRATEGIES]


def the_numbers(words: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", words)]


@given(requests())
def test_the_headline_counts_what_was_not_sent_and_why(under_all: list[Stored]) -> None:
    for one in under_all:
        words = sentences.headline(one.view, recorded=True)
        items = [item for item in one.plan.items if item.index is not None]
        gone = [item for item in items if not item.included]
        if not gone:
            assert words.startswith("**Everything was sent:**")
            assert f"{one.plan.input_tokens:,} token" in words
            continue
        count, reasons = words.split(": ", 1)
        assert the_numbers(count)[:3] == [len(gone), len(items), sum(item.tokens for item in gone)]
        told = {}
        if not re.match(r"[\d,]+ ", reasons):  # a single reason stands for all of them
            reasons = f"{len(gone)} {reasons}"
        for part in reasons.removesuffix(".").split(", "):
            number, tag = part.split(" ", 1)
            told[tag] = int(number)
        expected: dict[str, int] = {}
        for item in gone:
            tag = sentences.tag(one.view, item.reason)
            expected[tag] = expected.get(tag, 0) + 1
        assert told == expected
        target = one.case.options.low(one.budget)
        if one.plan.strategy == "low_water" and any(item.reason == "batch" for item in gone):
            assert f"in a batch down to {target:,}" in told


@given(requests())
def test_the_reason_of_every_message_is_proved_by_the_numbers_beside_it(under_all: list[Stored]) -> None:
    for one in under_all:
        for decision in decisions(one.view):
            words, beside = sentences.why(one.view, decision), sentences.running_total(one.view, decision)
            if decision.reason in sentences.WITHOUT_TOTAL:
                assert (words, beside) == (REASON_TEXT[decision.reason], "")
                continue
            total = one.running_total(decision)
            assert the_numbers(beside) == [total, one.budget]
            if decision.reason == "over_budget":
                assert the_numbers(words) == [one.budget, total]
                assert total > one.budget
            elif decision.reason == "middle":
                assert the_numbers(words) == [total, one.budget]
                assert total > one.budget
            elif decision.reason == "batch":
                assert the_numbers(words) == [one.plan.batch_target, total]
                assert one.plan.strategy in BATCHING
                assert one.plan.batch_target is not None
                assert total > one.plan.batch_target
                # with less to send, a template can take more, and then a message before one that fits does not fit
                assert total <= one.budget or isinstance(one.case.counter, CostlySystemCounter)
            elif decision.included and one.plan.fits and decision.reason in ("recent", "fits"):
                assert total <= one.budget or one.plan.strategy in ("none", "source_trim")


@given(cases(), st.sampled_from(BATCHING), st.data())
def test_a_turn_stored_before_batches_had_a_reason_is_shown_with_it(
    case: Case, strategy: str, data: st.DataObject
) -> None:
    starts = [at for at, message in enumerate(case.history) if opens_exchange(message)]
    if not starts:
        return
    at = data.draw(st.sampled_from(starts))
    new, old = stored(case, strategy, at), stored(case, strategy, at, forget=True)
    told = [(one.included, one.reason) for one in decisions(old.view)]
    assert told == [(one.included, one.reason) for one in decisions(new.view)]
    for decision in decisions(old.view):
        if decision.reason == "batch":
            assert sentences.why(old.view, decision) == REASON_TEXT["batch"]


def test_sizes_of_another_counter_prove_nothing_so_none_is_shown() -> None:
    history, turns, _ = talk(12, replace(SETTINGS, strategy="low_water"))
    view = view_of_record(records_of(history, turns)[-1], MessageSizes(ESTIMATE, history), history)
    dropped = [one for one in decisions(view) if one.reason == "over_budget"]
    assert dropped
    for decision in dropped:
        assert sentences.why(view, decision) == REASON_TEXT["over_budget"]
        assert sentences.running_total(view, decision) == ""


@given(requests())
def test_the_lines_hold_every_message_once_and_stretches_say_how_many(under_all: list[Stored]) -> None:
    for one in under_all:
        lines = request_rows.lines_of(one.view, ())
        covered: list[int] = []
        items = {item.index: item for item in one.plan.items}
        for line in lines:
            if isinstance(line, int):
                covered.append(line)
                continue
            start, stop, included, reason = line
            within = [items[at] for at in range(start, stop)]
            assert {(item.included, item.reason) for item in within} == {(included, reason)}
            said = the_numbers(sentences.stretch(one.view, *line))
            assert said[:2] == [len(within), sum(item.tokens for item in within)]
            covered += range(start, stop)
        assert covered == list(range(one.view.total))
        opened = request_rows.lines_of(one.view, [line[0] for line in lines if not isinstance(line, int)])
        assert [line for line in opened if isinstance(line, int)] == covered


@given(requests())
def test_the_line_above_the_input_explains_free_room(under_all: list[Stored]) -> None:
    for one in under_all:
        plan = one.plan
        words = composer.sentence(plan)
        if not plan.fits:
            assert "more than the" in words
            continue
        gone = [item for item in plan.items if not item.included]
        batch = [item for item in gone if item.reason == "batch"]
        guessed = plan.provenance == "estimated"
        assert (f"about {plan.input_tokens:,} of" if guessed else f"{plan.input_tokens:,} (") in words
        if gone:
            about = "about " if guessed else ""
            assert f"; {about}{numbers.plural(len(gone), 'message')} will be dropped" in words
        if batch:
            count = "" if len(batch) == len(gone) else f" {len(batch):,} of them"
            assert f" will be dropped,{count} in a batch down to {plan.batch_target:,} tokens" in words
        else:
            assert "batch" not in words
        headline = sentences.next_headline(plan, drafted=True)
        total = sum(item.index is not None for item in plan.items)
        assert the_numbers(headline.split(" (with")[0])[-1] == total


@pytest.mark.parametrize("echoed", [False, True])
def test_a_fact_is_lost_only_if_no_message_that_was_sent_has_it(echoed: bool) -> None:
    filler = [message for n in range(8) for message in (user(f"filler {n} " * 8), assistant("fine " * 8))]
    history = [user("My sister lives in Lisbon."), assistant("Good."), *filler]
    if echoed:
        history[-1] = assistant("She is in Lisbon, as you said.")
    history.append(user("Where does she live?"))
    one = stored(Case(history, 80, counter=WordCounter()), "oldest_first", len(history) - 1)
    lost = lost_facts.lost(one.view)
    assert [(fact.index, fact.answer) for fact in lost] == ([] if echoed else [(0, "Lisbon")])
    assert ("**Lisbon** (message 1)" in lost_facts.sentence(one.view)) == (not echoed)
