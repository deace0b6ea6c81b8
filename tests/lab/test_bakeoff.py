"""Every turn of a bake-off matches a separate plan, and its sizes and prefixes a count message by message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.bills import FindModel, cache_minimum, sum_or_none
from lib.analysis.requests import MessageSizes
from lib.chat_settings import ChatSettings
from lib.context import NO_MARKS, STRATEGIES, Marks, plan_context
from lib.context.candidates import Candidates
from lib.context.plan import PlannedMessage
from lib.lab.bakeoff import BakeOff, Contestant, ContestantRun, TurnResult, bake_off, replay_all, replay_one, run_of
from lib.messages import Message, Usage, assistant, system, user
from lib.pricing import catalogue, costs
from lib.pricing.model import Model
from lib.tokens.ledger import TokenLedger
from lib.tool_calls import opens_exchange
from tests.support.call_counts import calls_during
from tests.support.cases.conversations import histories, texts
from tests.support.counters import Counting, WordCounter

WORDS = WordCounter()
SETTINGS = ChatSettings("openai", "gpt-6-luna", "Be brief.", 200, 40, "oldest_first")
TALK = [said for n in range(30) for said in (user(f"question {n} " * (n % 5 + 1)), assistant("word " * 20))]


def nowhere(provider: str, model: str) -> Model | None:
    return None


def baked(
    history: list[Message],
    *contestants: Contestant,
    find: FindModel = catalogue.find,
    facts: Sequence[int] = (),
    marks: Marks = NO_MARKS,
) -> BakeOff:
    sizes = MessageSizes(WORDS, history)
    return bake_off(replay_all(history, contestants, lambda settings: sizes, marks), find, facts)


def slow_turns(
    history: list[Message], settings: ChatSettings, model: Model | None, facts: list[int], marks: Marks
) -> list[TurnResult]:
    """The turns, each from a separate plan that is read message by message."""
    made: list[TurnResult] = []
    before: list[PlannedMessage] = []
    asked = [at for at, message in enumerate(history) if opens_exchange(message)]
    for turn, at in enumerate(asked, start=1):
        prompt = history[at]
        candidates = Candidates.gather(settings.system_prompt, history[:at], "", TokenLedger(WORDS))
        candidates = replace(candidates, prompt=prompt, prompt_tokens=WORDS.count(prompt))
        plan = plan_context(candidates, settings.window, settings.strategy, marks, settings.options)
        sent = {item.index: item.included for item in plan.items}
        now = [item for item in plan.items if item.included]
        same = [
            new for new, old in takewhile(lambda both: both[0].index == both[1].index, zip(now, before, strict=False))
        ]
        reusable = min(sum(item.tokens for item in same), plan.input_tokens)
        least = 0 if model is None else cache_minimum(model)
        cached = reusable if reusable >= least else 0
        written = plan.input_tokens - cached if plan.input_tokens >= least else 0
        stop = next((later for later in asked if later > at), len(history))
        reply = sum(WORDS.count(m) for m in history[at + 1 : stop])
        price = None if model is None else costs.cost(model, Usage(plan.input_tokens, cached, written, reply))
        held = tuple(sent[fact] if fact <= at else None for fact in facts)
        made.append(
            TurnResult(
                turn,
                at,
                plan.input_tokens,
                reusable,
                cached,
                reply,
                plan.left_out_count,
                plan.fits,
                held,
                None if price is None else price.total,
            )
        )
        before = now
    return made


@given(histories(), st.sampled_from(sorted(STRATEGIES)), st.integers(0, 300), texts, st.booleans(), st.data())
def test_every_turn_is_what_a_separate_plan_decides(
    history: list[Message], strategy: str, window: int, prompt: str, priced: bool, data: st.DataObject
) -> None:
    places = st.sets(st.integers(0, max(0, len(history) - 1)), max_size=3)
    facts, marks = sorted(data.draw(places)) if history else [], Marks.of(data.draw(places), data.draw(places))
    settings = replace(SETTINGS, strategy=strategy, max_tokens=window, system_prompt=prompt)
    model = catalogue.find("openai", "gpt-6-luna") if priced else None
    replayed = replay_one(history, Contestant("it", settings), MessageSizes(WORDS, history), marks)
    assert list(run_of(replayed, model, facts).steps) == slow_turns(history, settings, model, facts, marks)


def test_runs_keep_the_order_of_contestants_and_their_sums_add_up() -> None:
    everything = replace(SETTINGS, strategy="none")
    made = baked(TALK, Contestant("few", SETTINGS), Contestant("all", everything), facts=[0, 58])
    few, whole = made.courses
    assert [c.entry.name for c in made.courses] == ["few", "all"]
    assert (few.counter, few.provenance, len(few.steps)) == ("words", "counted", 30)
    for one in made.courses:
        assert one.sent == one.cached + one.processed == sum(step.sent for step in one.steps)
        assert one.reply == MessageSizes(WORDS, TALK).between(0, 60) - sum(WORDS.count(m) for m in TALK[::2])
        assert one.cost == sum((step.cost or Decimal(-1) for step in one.steps), Decimal(0))
        assert [step.processed for step in one.steps] == [step.sent - step.cached for step in one.steps]
    assert (few.unfit, whole.most_left_out) == (0, 0)
    assert whole.unfit == sum(step.sent > 160 for step in whole.steps) > 0
    assert few.most_left_out == few.steps[-1].left_out > 0
    assert whole.sent > few.sent


def test_a_fact_is_followed_from_when_it_was_said_until_it_is_lost() -> None:
    made = baked(
        TALK, Contestant("few", SETTINGS), Contestant("all", replace(SETTINGS, strategy="none")), facts=[4, 58]
    )
    few, whole = made.courses
    held = [step.facts[0] for step in few.steps]
    lost = held.index(False) + 1
    assert held == [None, None, *[True] * (lost - 3), *[False] * (31 - lost)]
    assert (few.lost_at(0), few.kept(0)) == (lost, (lost - 3, 28))
    assert (few.lost_at(1), few.kept(1)) == (None, (1, 1))
    assert (whole.lost_at(0), whole.kept(0)) == (None, (28, 28))
    pinned = baked(TALK, *(run.entry for run in made.courses), facts=[4], marks=Marks.of(pinned={4})).courses[0]
    assert pinned.kept(0) == (28, 28)
    muted = baked(TALK, *(run.entry for run in made.courses), facts=[4], marks=Marks.of(muted={4})).courses[1]
    assert muted.kept(0) == (1, 28)


def test_low_water_reads_fewer_uncached_tokens_than_trimming_at_every_turn() -> None:
    cheap = replace(SETTINGS, model="unheard-of", max_tokens=400)
    each_turn, in_batches = baked(
        TALK, Contestant("each turn", cheap), Contestant("in batches", replace(cheap, strategy="low_water"))
    ).courses
    assert in_batches.processed < each_turn.processed
    assert each_turn.cost is None is in_batches.cost


def test_a_prefix_below_the_vendors_minimum_is_reusable_but_not_cached() -> None:
    openai, here = replace(SETTINGS, max_tokens=400), replace(SETTINGS, provider="local", model="here", max_tokens=400)
    there, local = baked(TALK[:8], Contestant("openai", openai), Contestant("here", here)).courses
    assert [step.reusable for step in there.steps] == [step.reusable for step in local.steps]
    assert (there.cached, local.cost) == (0, Decimal(0))
    assert local.cached == sum(step.reusable for step in local.steps) > 0


def test_each_contestant_is_counted_by_its_own_models_counter() -> None:
    class Twice(WordCounter):
        def count(self, message: Message) -> int:
            return 2 * super().count(message)

    plain, other = MessageSizes(WORDS, TALK), MessageSizes(Twice(), TALK)
    everything = replace(SETTINGS, strategy="none", system_prompt="")
    contestants = [Contestant("a", everything), Contestant("b", replace(everything, model="other"))]
    replays = replay_all(TALK, contestants, lambda settings: other if settings.model == "other" else plain)
    one, two = bake_off(replays, nowhere).courses
    assert [step.sent - 12 for step in two.steps] == [2 * (step.sent - 12) for step in one.steps]


@pytest.mark.parametrize("names", [(), ("a",), ("a", "a"), tuple("abcdefg")])
def test_two_to_six_contestants_of_different_names_compete(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="contestants"):
        baked(TALK, *(Contestant(name, SETTINGS) for name in names))


def test_an_empty_conversation_has_no_turns() -> None:
    for made in baked([], Contestant("a", SETTINGS), Contestant("b", SETTINGS), facts=[]).courses:
        assert (made.steps, made.sent, made.cost, made.unfit, made.most_left_out) == ((), 0, Decimal(0), 0, 0)
    assert ContestantRun(Contestant("a", SETTINGS), "words", "counted", ()).processed == 0
    assert sum_or_none([Decimal(1), None]) is None


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_thousand_turns_are_replayed_without_counting_a_message_twice(strategy: str) -> None:
    history = [said for n in range(1000) for said in (user(f"question {n}"), assistant("word " * 40))]
    history.insert(0, system("stored"))
    settings = replace(SETTINGS, strategy=strategy, max_tokens=8000)
    counter = Counting()
    sizes = MessageSizes(counter, history)
    counted = counter.calls
    replayed = replay_one(history, Contestant("it", settings), sizes)
    assert len(run_of(replayed, catalogue.find("openai", "gpt-6-luna"), [1, 500]).steps) == 1000
    assert counter.calls - counted <= 2  # the system prompt and an empty message: nothing that is stored


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_the_work_for_a_replay_grows_no_faster_than_the_conversation(strategy: str) -> None:
    def calls(turns: int) -> int:
        history = [said for n in range(turns) for said in (user(f"question {n}"), assistant("word " * 40))]
        settings = replace(SETTINGS, strategy=strategy, max_tokens=8000)
        sizes = MessageSizes(WORDS, history)
        return calls_during(lambda: run_of(replay_one(history, Contestant("it", settings), sizes), None, [1]))

    assert calls(1600) < 5 * calls(400)  # in both, the window is full for most of the turns
