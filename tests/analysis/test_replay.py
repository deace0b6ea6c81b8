"""A replay decides as sending does, finds the reusable prefix message by message, and projects a conversation."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.replay import project, replay, reusable_tokens
from lib.analysis.requests import MessageSizes, RequestRecord, records_of
from lib.context import STRATEGIES
from lib.context.candidates import Summary
from lib.messages import Message, assistant, user
from tests.support.cases.conversations import histories, texts
from tests.support.cases.planned_conversations import SETTINGS, talk
from tests.support.counters import WordCounter

WORDS = WordCounter()


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_replay_under_the_same_settings_is_what_happened(strategy: str) -> None:
    settings = replace(SETTINGS, strategy=strategy)
    history, turns, _ = talk(25, settings)
    sizes = MessageSizes(WORDS, history)
    happened, replayed = records_of(history, turns), replay(history, sizes, settings)
    assert [(r.at, r.reply, r.runs, r.system_prompt) for r in replayed] == [
        (r.at, r.reply, r.runs, r.system_prompt) for r in happened
    ]


def positions(record: RequestRecord) -> list[int]:
    return [at for start, stop, included, _ in record.runs if included for at in range(start, stop)]


@given(histories(), texts, st.integers(20, 200), st.sampled_from(sorted(STRATEGIES)))
def test_the_reusable_prefix_matches_a_comparison_message_by_message(
    history: list[Message], prompt: str, window: int, strategy: str
) -> None:
    sizes = MessageSizes(WORDS, history)
    records = replay(history, sizes, replace(SETTINGS, strategy=strategy, max_tokens=window, system_prompt=prompt))
    for before, now in pairwise(records):
        same = 0
        for one, other in zip(positions(before), positions(now), strict=False):
            if one != other:
                break
            same += WORDS.count(history[one])
        assert reusable_tokens(before, now, sizes) == sizes.system_prompt(now.system_prompt) + same


def test_another_system_prompt_leaves_nothing_to_reuse() -> None:
    history, turns, _ = talk(2, SETTINGS)
    first, second = records_of(history, turns)
    assert reusable_tokens(first, second, MessageSizes(WORDS, history)) > 0
    assert reusable_tokens(replace(first, system_prompt="another"), second, MessageSizes(WORDS, history)) == 0


def test_another_summary_leaves_only_the_system_prompt_to_reuse() -> None:
    history, turns, _ = talk(2, SETTINGS)
    sizes = MessageSizes(WORDS, history)

    def summarized(record: RequestRecord, text: str) -> RequestRecord:
        assert record.turn is not None
        assert record.turn.plan is not None
        return replace(
            record, turn=replace(record.turn, plan=replace(record.turn.plan, summary=Summary(text, ((0, 2),))))
        )

    first, second = records_of(history, turns)
    plain = reusable_tokens(first, second, sizes)
    same = reusable_tokens(summarized(first, "They talk."), summarized(second, "They talk."), sizes)
    assert same == plain + WORDS.count(Summary("They talk.", ()).message)
    assert reusable_tokens(
        summarized(first, "They talk."), summarized(second, "They talked."), sizes
    ) == sizes.system_prompt(second.system_prompt)


def test_a_projection_adds_exchanges_of_average_size() -> None:
    history = [user("one two"), assistant("three"), user("one"), assistant("two three four")]
    projection = project(history, MessageSizes(WORDS, history), to_turn=5)
    sizes = MessageSizes(projection.counter, projection.history)
    assert len(projection.history) == 10
    assert list(projection.history[:4]) == history
    assert [sizes.between(at, at + 1) for at in range(10)] == [5, 4, 4, 6, 4, 5, 4, 5, 4, 5]
    assert len(replay(projection.history, sizes, SETTINGS)) == 5


def test_a_long_conversation_is_projected_for_fifty_turns_and_an_empty_one_not_at_all() -> None:
    history, _, _ = talk(60, SETTINGS)
    assert sum(m.role == "user" for m in project(history, MessageSizes(WORDS, history)).history) == 110
    assert list(project([], MessageSizes(WORDS, [])).history) == []


def test_projected_and_real_messages_are_counted_together() -> None:
    history = [user("one two"), assistant("three")]
    projection = project(history, MessageSizes(WORDS, history), to_turn=3)
    assert projection.counter.count_many(projection.history) == [
        projection.counter.count(message) for message in projection.history
    ]
    assert projection.counter.template(True) == WORDS.template(True)
    assert projection.counter.provenance == "counted"
