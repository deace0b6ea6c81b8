"""Every request is found, its parts add up by every counter, and its messages are the ones that were sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analysis import frames
from lib.analysis.history_prefix import HistoryPrefix
from lib.analysis.requests import MessageSizes, PlainRun, RequestRecord, detached, records_of
from lib.context import STRATEGIES, Marks, plan_context
from lib.context.candidates import Candidates, Summary
from lib.messages import Message, assistant, system, user
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.tokens.model_counters import counter_for
from lib.tool_calls import opens_exchange
from lib.turns import PlanSummary, Turn
from tests.support.cases.conversations import histories, texts
from tests.support.cases.planned_conversations import SETTINGS, WORDS, talk
from tests.support.counters import whole


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@pytest.mark.parametrize("prompt", ["Be brief.", ""])
def test_a_turns_parts_add_up_to_its_plan_and_its_messages_are_the_ones_sent(strategy: str, prompt: str) -> None:
    history, turns, plans = talk(30, replace(SETTINGS, strategy=strategy, system_prompt=prompt))
    records, sizes = records_of(history, turns), MessageSizes(WORDS, history)
    assert len(records) == len(plans) == 30
    for record, plan in zip(records, plans, strict=True):
        parts = sizes.parts(record)
        assert parts.sent == plan.input_tokens
        assert parts.left_out == plan.left_out_tokens
        assert parts.template == plan.template_tokens
        assert sizes.messages(record) == plan.included
        assert parts.sent == whole(plan.included, WORDS)


@given(histories(), texts, st.sampled_from([WORDS, ESTIMATE]))
def test_without_turns_every_user_message_is_a_request_with_everything_before_it(
    history: list[Message], prompt: str, counter: TokenCounter
) -> None:
    records, sizes = records_of(history, []), MessageSizes(counter, history)
    assert [record.at for record in records] == [at for at, m in enumerate(history) if opens_exchange(m)]
    covered = [at for record in records for at in (record.at, *record.reply)]
    assert covered == list(range(records[0].at, len(history))) if records else covered == []
    for record in records:
        assert not record.recorded
        messages = sizes.messages(record)
        assert messages == history[: record.at + 1]
        parts = sizes.parts(record)
        assert parts.sent == sum(map(counter.count, messages)) + counter.template(messages[0].is_system)
        assert parts.reply == sum(counter.count(history[at]) for at in record.reply)
        assert parts.left_out == 0


REAL = (
    ESTIMATE,
    counter_for("openai", "gpt-4o"),
    counter_for("openai", "gpt-6-luna"),
    counter_for("openai", "gpt-4"),
    counter_for("anthropic", "claude-haiku-4-5"),
    counter_for("anthropic", "claude-opus-5"),
    counter_for("other", "qwen3:8b"),
)


@pytest.mark.parametrize("counter", REAL, ids=lambda counter: f"{counter.name} {counter.template(True)}")
@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_the_parts_of_every_request_add_up_by_every_counter(strategy: str, counter: TokenCounter) -> None:
    settings = replace(SETTINGS, strategy=strategy, max_tokens=400)
    history, turns, plans = talk(12, settings, counter)
    sizes = MessageSizes(counter, history)
    total = 0
    for record, plan in zip(records_of(history, turns), plans, strict=True):
        parts, messages = sizes.parts(record), sizes.messages(record)
        assert (
            parts.sent
            == plan.input_tokens
            == sum(counter.count_many(messages)) + counter.template(messages[0].is_system)
        )
        total += parts.resent
    frame = frames.requests(records_of(history, turns), lambda record: sizes)
    assert frame["re-sent so far"].iloc[-1] == total
    assert list(frame["sent"]) == list(frame[list(frames.PARTS)].sum(axis=1))


def test_planning_a_request_again_gives_the_same_plan() -> None:
    settings = replace(SETTINGS, max_tokens=150)
    history, turns, plans = talk(25, settings)
    sizes = MessageSizes(WORDS, history)
    for record, plan in zip(records_of(history, turns), plans, strict=True):
        again = sizes.planned_again(record, settings)
        assert (again.runs, again.input_tokens) == (plan.runs, plan.input_tokens)


def test_messages_of_another_service_are_requests_without_a_turn() -> None:
    history, turns, _ = talk(2, SETTINGS)
    history += [user("theirs"), assistant("yes")]
    assert [record.name for record in records_of(history, turns)] == ["turn 1", "turn 2", "message 5"]


def test_turns_whose_messages_are_gone_are_detached() -> None:
    history, turns, _ = talk(4, SETTINGS)
    trimmed = history[2:]  # another service dropped the first exchange
    unplanned = replace(turns[0], plan=None)
    assert [turn.number for turn in detached(trimmed, turns)] == [1, 2, 3, 4]
    assert [turn.number for turn in detached(history, [unplanned, *turns[1:]])] == [1]
    assert all(not record.recorded for record in records_of(trimmed, turns))


def test_a_history_prefix_reads_the_history_without_copying_it() -> None:
    history = [system("s"), user("a"), assistant("b")]
    prefix = HistoryPrefix(history, 2)
    assert list(prefix) == history[:2]
    assert prefix[-1] is history[1]
    assert prefix[:1] == history[:1]
    with pytest.raises(IndexError):
        prefix[2]


def test_a_muted_exchange_stays_muted_when_it_is_planned_again() -> None:
    history, turns, _ = talk(3, SETTINGS)
    runs: tuple[PlainRun, ...] = ((0, 2, False, "muted"), (2, 5, True, "fits"))
    record = RequestRecord(4, range(5, 6), runs, "Be brief.", turns[2])
    plan = MessageSizes(WORDS, history).planned_again(record, SETTINGS)
    assert [run.reason for run in plan.runs if not run.included] == ["muted"]


def test_the_summary_that_a_turn_sent_is_among_its_messages_and_parts() -> None:
    history = [said for n in range(8) for said in (user(f"{n} one two three"), assistant("four five six"))]
    candidates = Candidates.gather("Be brief.", history, "and now", TokenLedger(WORDS))
    gist = Summary("They counted.", ((0, 16),))
    plan = plan_context(candidates, SETTINGS.window, "summarize", Marks(summary=gist))
    shorter = plan_context(candidates, replace(SETTINGS, max_tokens=120).window, "summarize", Marks(summary=gist))
    assert (plan.candidates.summary, shorter.candidates.summary) == (None, gist)
    turn = Turn("i", "and now", "r", "complete", "openai", "m", "Be brief.", 0.0, PlanSummary.of(shorter))
    later = [*history, user("and now"), assistant("r")]
    sizes, record = MessageSizes(WORDS, later), records_of(later, [turn])[-1]
    assert record.recorded
    assert sizes.messages(record) == shorter.included
    assert sizes.parts(record).sent == shorter.input_tokens
