"""The recall probe: planned in the open, asked in a thread, scored, cancelled, and once with a real model."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES, Marks, plan_context
from lib.context.plan import Candidates, Summary
from lib.errors import MissingKey, RateLimited, WrongKey
from lib.lab.bakeoff import Contestant
from lib.lab.facts import Fact, suggested
from lib.lab.recall.plan import ASKING, Arm, Ask, arms, estimate, planned, question_of, said_at
from lib.lab.recall.run import Answer, Probe, Progress, Score, scores
from lib.messages import Message, Usage, assistant, user
from lib.pricing import catalogue, costs
from lib.providers import Provider
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.scripted import Script, ScriptedProvider
from lib.tokens.ledger import TokenLedger
from lib.ui.chat.welcome import CODE, DOG
from lib.ui.shell.services import SYSTEM_PROMPT
from tests.support.conversations import histories
from tests.support.counters import WordCounter, whole

WORDS = WordCounter()
SETTINGS = ChatSettings("openai", "gpt-6-luna", "Be brief.", 200, 40, "oldest_first")
CHAT = [user(CODE), assistant("The secret code is 4711."), user(DOG), assistant("That sounds lovely!")]
TALK = CHAT + [said for n in range(20) for said in (user(f"so {n}"), assistant("word " * 20))]
FACTS = suggested(TALK, 3)
ENTRIES = [Contestant("few", SETTINGS), Contestant("seldom", replace(SETTINGS, strategy="low_water", max_tokens=300))]


def ask_all(history: Sequence[Message], chosen: Sequence[Arm], **more: object) -> list[Ask]:
    ledger = TokenLedger(WORDS)
    facts = more.pop("facts", FACTS)
    return planned(history, facts, chosen, lambda settings: ledger, catalogue.find, **more)  # type: ignore[arg-type]


def wide(settings: ChatSettings) -> int:
    return 10_000


def test_every_entry_is_an_arm_and_two_controls_stand_beside_them() -> None:
    made = arms(ENTRIES, wide)
    assert [(arm.name, arm.kind) for arm in made] == [
        ("few", "plan"),
        ("seldom", "plan"),
        ("everything", "everything"),
        ("nothing", "nothing"),
    ]
    assert [arm.settings for arm in made[:2]] == [entry.settings for entry in ENTRIES]
    assert {arm.settings for arm in made[2:]} == {replace(SETTINGS, strategy="none", max_tokens=10_000)}
    assert arms(ENTRIES)[2].settings.max_tokens == 300
    two = arms([*ENTRIES, Contestant("other", replace(SETTINGS, model="m2"))])
    assert [arm.name for arm in two[3:]] == [
        "everything (gpt-6-luna)",
        "nothing (gpt-6-luna)",
        "everything (m2)",
        "nothing (m2)",
    ]


def test_a_plan_says_what_goes_out_and_what_it_costs_at_most() -> None:
    asks = ask_all(TALK, arms(ENTRIES, wide), repeats=2, answer_tokens=30)
    order = [(ask.arm.name, ask.fact, ask.repeat) for ask in asks]
    assert order == [(arm.name, fact, n) for arm in arms(ENTRIES, wide) for fact in FACTS for n in (1, 2)]
    luna = catalogue.find("openai", "gpt-6-luna")
    assert luna is not None
    for ask in asks:
        assert ask.request.messages[0].content == "Be brief."
        assert ask.request.messages[-1] == user(question_of(ask.fact))
        assert (ask.request.model, ask.request.max_output_tokens) == ("gpt-6-luna", 30)
        assert ask.tokens == whole(ask.request.messages, WORDS) <= ask.arm.settings.window.input_budget
        assert (ask.fits, ask.counter, ask.provenance) == (True, "words", "counted")
        most = [costs.cost(luna, Usage(ask.tokens, 0, written, 30)) for written in (0, ask.tokens)]
        assert ask.cost == max(price.total for price in most if price is not None)
    sums = estimate(asks)
    assert (sums.requests, sums.unfit, sums.tokens) == (len(asks), 0, sum(ask.tokens for ask in asks))
    assert sums.cost == sum((ask.cost or Decimal(0) for ask in asks), Decimal(0))


def test_the_controls_hold_all_and_nothing() -> None:
    for ask in ask_all(TALK, arms(ENTRIES, wide)):
        if ask.arm.kind == "everything":
            assert list(ask.request.messages[1:-1]) == TALK
        if ask.arm.kind == "nothing":
            assert len(ask.request.messages) == 2
        assert ask.held == (ask.arm.kind == "everything")  # the entries' windows are too small for the beginning


def test_an_answer_that_somebody_repeated_goes_along_too() -> None:
    fact = Fact(0, CODE, "What is the secret code?", "4711")
    history = [*TALK, user("again?"), assistant("As you said: 4711.")]
    assert said_at(history, fact) == [0, 1, len(history) - 1]
    assert [ask.held for ask in ask_all(history, arms(ENTRIES, wide), facts=[fact])] == [True, True, True, False]
    told = [Contestant("a", replace(SETTINGS, system_prompt="The code is 4711.")), ENTRIES[1]]
    assert [ask.held for ask in ask_all(TALK, arms(told), facts=[fact])] == [True, False, True, True]
    gist = [Arm("gist", replace(SETTINGS, strategy="summarize"))]
    summary = Summary("They named 4711.", ((0, 4),))
    assert [ask.held for ask in ask_all(TALK, gist, facts=[fact], summary=summary)] == [True]
    assert [ask.held for ask in ask_all(TALK, gist, facts=[fact])] == [False]


@given(histories(), st.sampled_from(sorted(STRATEGIES)), st.integers(0, 300), st.data())
def test_what_would_be_sent_is_what_the_chat_would_send(
    history: list[Message], strategy: str, window: int, data: st.DataObject
) -> None:
    places = st.sets(st.integers(0, len(history)), max_size=2)
    muted, pinned = data.draw(places), data.draw(places)
    settings = replace(SETTINGS, strategy=strategy, max_tokens=window)
    fact = Fact(0, "It is X1.", "What is it?", "X1")
    (ask,) = ask_all(history, [Arm("it", settings)], facts=[fact], muted=muted, pinned=pinned)
    candidates = Candidates.gather(settings.system_prompt, history, question_of(fact), TokenLedger(WORDS))
    plan = plan_context(candidates, settings.window, strategy, Marks.of(muted, pinned))
    assert list(ask.request.messages) == plan.included
    assert (ask.tokens, ask.fits) == (plan.input_tokens, plan.fits)
    sent = {item.index for item in plan.items if item.included}
    assert ask.held == any(at in sent and at < len(history) for at in said_at(history, fact))


def test_a_closing_is_said_behind_each_question() -> None:
    (ask,) = ask_all(CHAT, [Arm("a", SETTINGS)], facts=FACTS[:1], closing=ASKING)
    assert ask.request.messages[-1] == user(f"{FACTS[0].question} {ASKING}")


def test_arms_of_one_name_and_unknown_prices_are_told() -> None:
    with pytest.raises(ValueError, match="same name"):
        ask_all(TALK, [Arm("a", SETTINGS), Arm("a", SETTINGS)])
    strange = ask_all(TALK, [Arm("a", replace(SETTINGS, provider="mine"))])
    assert estimate(strange).cost is None
    assert estimate([]).cost == Decimal(0)


def finished(probe: Probe) -> tuple[Answer, ...]:
    probe.start()
    assert probe.done.wait(20)
    return probe.results


def test_replies_are_scored_priced_and_counted() -> None:
    fact = Fact(0, CODE, "What is the secret code?", "4711")
    asks = ask_all(CHAT, arms(ENTRIES[:1], wide)[1:], facts=[fact], repeats=2)
    usage = Usage(40, 0, 0, 5)
    provider = ScriptedProvider(
        Script(["It is ", "4711."], usage=usage),
        Script(["4711"], usage=usage),
        Script(["You haven't told me."], usage=usage),
        Script(["1234"]),
    )
    before = [message.to_dict() for message in CHAT]
    probe = Probe(asks, lambda settings: provider, catalogue.find)
    answers = finished(probe)
    assert [answer.verdict for answer in answers] == ["recalled", "recalled", "admitted", "made_up"]
    assert [answer.reply for answer in answers] == ["It is 4711.", "4711", "You haven't told me.", "1234"]
    luna = catalogue.find("openai", "gpt-6-luna")
    assert luna is not None
    price = costs.cost(luna, usage)
    assert price is not None
    assert [answer.cost for answer in answers] == [price.total] * 3 + [None]
    assert [(answer.held, answer.error) for answer in answers] == [(True, None)] * 2 + [(False, None)] * 2
    assert scores(answers) == {(fact, "everything"): Score(2, 0, 0, 0), (fact, "nothing"): Score(0, 1, 1, 0)}
    assert provider.requests == [ask.request for ask in asks]
    assert (probe.progress, probe.cancelled) == (Progress(4, 4), False)
    assert [message.to_dict() for message in CHAT] == before


def test_a_failure_is_kept_with_its_question_and_the_next_is_asked() -> None:
    asks = ask_all(CHAT, [Arm("a", replace(SETTINGS, max_tokens=4000))], facts=FACTS[:1], repeats=5)
    asks[3] = replace(asks[3], fits=False)
    provider = ScriptedProvider(Script(["47"], RateLimited("Too fast.")), Script(["4711"]), Script([" "]))
    answers = finished(Probe(asks, lambda settings: provider, catalogue.find))
    assert [(answer.error or {}).get("kind") for answer in answers] == [
        "RateLimited",
        None,
        "ProviderError",
        "ContextOverflow",
        "ChatError",
    ]
    assert [answer.verdict is None for answer in answers] == [True, False, True, True, True]
    assert "AssertionError" in (answers[4].error or {})["what"]  # nobody scripted a fifth answer
    assert len(provider.requests) == 4
    assert scores(answers)[FACTS[0], "a"].failed == 4
    assert "conversation" in (answers[0].error or {})["safe"]


@pytest.mark.parametrize("error", [MissingKey("No key."), WrongKey("Refused.")])
def test_without_a_key_a_provider_is_asked_once(error: Exception) -> None:
    chosen = [Arm("a", SETTINGS), Arm("b", replace(SETTINGS, provider="mine")), Arm("c", SETTINGS)]
    refusing, mine = ScriptedProvider(Script([], error)), ScriptedProvider(Script(["4711"]))
    asks = ask_all(CHAT, chosen, facts=FACTS[:1])
    answers = finished(Probe(asks, lambda s: mine if s.provider == "mine" else refusing, catalogue.find))
    assert [(answer.error or {}).get("kind") for answer in answers] == [
        type(error).__name__,
        None,
        type(error).__name__,
    ]
    assert len(refusing.requests) == 1


def test_a_provider_that_cannot_be_opened_is_a_failure_like_others() -> None:
    def opening(settings: ChatSettings) -> Provider:
        raise MissingKey("No key.")

    (answer,) = finished(Probe(ask_all(CHAT, [Arm("a", SETTINGS)], facts=FACTS[:1]), opening, catalogue.find))
    assert (answer.error or {})["kind"] == "MissingKey"


def test_cancelling_is_heard_at_once_and_keeps_what_was_answered() -> None:
    gate = threading.Semaphore(2)
    provider = ScriptedProvider(Script(["4711"], gate=gate), Script(["4", "711"], gate=gate), Script(["never"]))
    probe = Probe(
        ask_all(CHAT, [Arm("a", SETTINGS)], facts=FACTS[:1], repeats=3), lambda settings: provider, catalogue.find
    )
    probe.start()
    deadline = time.monotonic() + 20
    while len(provider.requests) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    probe.cancel()
    assert probe.done.is_set()
    assert (probe.progress, probe.cancelled) == (Progress(1, 3), True)
    gate.release(9)
    for thread in threading.enumerate():
        if thread.name == "recall-probe":
            thread.join(20)
    assert [answer.reply for answer in probe.results] == ["4711"]
    assert (len(provider.requests), provider.closed) == (2, 1)


@pytest.mark.model
def test_a_real_model_recalls_what_it_is_sent_and_not_what_it_is_not(model: LocalModel) -> None:
    fact = next(fact for fact in suggested(CHAT) if fact.answer == "4711")
    settings = ChatSettings("local", model.name, SYSTEM_PROMPT, 2048, 256, "oldest_first")
    ledger = TokenLedger(WORDS)
    asks = planned(
        CHAT, [fact], arms([Contestant("window", settings)]), lambda settings: ledger, catalogue.find, answer_tokens=40
    )
    probe = Probe(asks, lambda settings: LocalProvider(model), catalogue.find)
    probe.start()
    assert probe.done.wait(120)
    by_arm = {answer.arm: answer for answer in probe.results}
    assert [answer.error for answer in probe.results] == [None] * 3
    assert by_arm["everything"].verdict == by_arm["window"].verdict == "recalled"
    assert by_arm["nothing"].verdict != "recalled"
    assert all(answer.usage.input_tokens and answer.cost == 0 for answer in probe.results)
