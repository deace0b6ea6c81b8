"""A recall probe is planned before anything is sent, asked in a thread, graded, cancelled, and run on a real model."""

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
from lib.context import NO_MARKS, STRATEGIES, Marks, plan_context
from lib.context.candidates import Candidates, Summary
from lib.errors import MissingKey, RateLimited, WrongKey
from lib.lab.bakeoff import Contestant
from lib.lab.facts import Fact, suggest_facts
from lib.lab.recall.plan import (
    ADMIT_CLOSING,
    ANSWER_TOKENS,
    Arm,
    Question,
    arms_of,
    estimate,
    places_of_answer,
    plan_questions,
    question_text,
)
from lib.lab.recall.run import Answer, Probe, Progress
from lib.messages import Message, Usage, assistant, user
from lib.pricing import catalogue, costs
from lib.providers import Provider
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.scripted import Script, ScriptedProvider
from lib.tokens.ledger import TokenLedger
from lib.ui.chat.welcome import CODE, DOG
from lib.ui.shell.session_settings import SYSTEM_PROMPT
from tests.support.cases.conversations import histories
from tests.support.counters import WordCounter, whole

WORDS = WordCounter()
SETTINGS = ChatSettings("openai", "gpt-6-luna", "Be brief.", 200, 40, "oldest_first")
CHAT = [user(CODE), assistant("The secret code is 4711."), user(DOG), assistant("That sounds lovely!")]
TALK = CHAT + [said for n in range(20) for said in (user(f"so {n}"), assistant("word " * 20))]
FACTS = suggest_facts(TALK, 3)
CONTESTANTS = [
    Contestant("few", SETTINGS),
    Contestant("seldom", replace(SETTINGS, strategy="low_water", max_tokens=300)),
]


def ask_all(
    history: Sequence[Message],
    chosen: Sequence[Arm],
    *,
    facts: Sequence[Fact] = FACTS,
    repeats: int = 1,
    answer_tokens: int = ANSWER_TOKENS,
    closing: str = "",
    marks: Marks = NO_MARKS,
) -> list[Question]:
    ledger = TokenLedger(WORDS)
    return plan_questions(
        history, facts, chosen, lambda settings: ledger, catalogue.find, repeats, answer_tokens, closing, marks
    )


def wide(settings: ChatSettings) -> int:
    return 10_000


def test_every_contestant_is_an_arm_and_two_controls_follow() -> None:
    made = arms_of(CONTESTANTS, wide)
    assert [(arm.name, arm.kind) for arm in made] == [
        ("few", "plan"),
        ("seldom", "plan"),
        ("everything", "everything"),
        ("nothing", "nothing"),
    ]
    assert [arm.settings for arm in made[:2]] == [entry.settings for entry in CONTESTANTS]
    assert {arm.settings for arm in made[2:]} == {replace(SETTINGS, strategy="none", max_tokens=10_000)}
    assert arms_of(CONTESTANTS)[2].settings.max_tokens == 300
    two = arms_of([*CONTESTANTS, Contestant("other", replace(SETTINGS, model="m2"))])
    assert [arm.name for arm in two[3:]] == [
        "everything (gpt-6-luna)",
        "nothing (gpt-6-luna)",
        "everything (m2)",
        "nothing (m2)",
    ]


def test_a_plan_has_every_request_and_its_highest_cost() -> None:
    questions = ask_all(TALK, arms_of(CONTESTANTS, wide), repeats=2, answer_tokens=30)
    order = [(question.arm.name, question.fact, question.repeat) for question in questions]
    assert order == [(arm.name, fact, n) for arm in arms_of(CONTESTANTS, wide) for fact in FACTS for n in (1, 2)]
    luna = catalogue.find("openai", "gpt-6-luna")
    assert luna is not None
    for question in questions:
        assert question.request.messages[0].content == "Be brief."
        assert question.request.messages[-1] == user(question_text(question.fact))
        assert (question.request.model, question.request.max_output_tokens) == ("gpt-6-luna", 30)
        assert question.tokens == whole(question.request.messages, WORDS) <= question.arm.settings.window.input_budget
        assert (question.fits, question.counter, question.provenance) == (True, "words", "counted")
        most = [costs.cost(luna, Usage(question.tokens, 0, written, 30)) for written in (0, question.tokens)]
        assert question.cost == max(price.total for price in most if price is not None)
    sums = estimate(questions)
    assert (sums.requests, sums.unfit, sums.tokens) == (
        len(questions),
        0,
        sum(question.tokens for question in questions),
    )
    assert sums.cost == sum((question.cost or Decimal(0) for question in questions), Decimal(0))


def test_the_controls_send_everything_and_nothing() -> None:
    for question in ask_all(TALK, arms_of(CONTESTANTS, wide)):
        if question.arm.kind == "everything":
            assert list(question.request.messages[1:-1]) == TALK
        if question.arm.kind == "nothing":
            assert len(question.request.messages) == 2
        assert question.held == (
            question.arm.kind == "everything"
        )  # the contestants' windows are too small for the start


def test_an_answer_that_was_repeated_later_counts_as_sent() -> None:
    fact = Fact(0, CODE, "What is the code of the safe?", "4711")
    history = [*TALK, user("again?"), assistant("As you said: 4711.")]
    assert places_of_answer(history, fact) == [0, 1, len(history) - 1]
    assert [question.held for question in ask_all(history, arms_of(CONTESTANTS, wide), facts=[fact])] == [
        True,
        True,
        True,
        False,
    ]
    told = [Contestant("a", replace(SETTINGS, system_prompt="The code is 4711.")), CONTESTANTS[1]]
    assert [question.held for question in ask_all(TALK, arms_of(told), facts=[fact])] == [True, False, True, True]
    gist = [Arm("gist", replace(SETTINGS, strategy="summarize"))]
    summary = Summary("They named 4711.", ((0, 4),))
    assert [question.held for question in ask_all(TALK, gist, facts=[fact], marks=Marks.of(summary=summary))] == [True]
    assert [question.held for question in ask_all(TALK, gist, facts=[fact])] == [False]


@given(histories(), st.sampled_from(sorted(STRATEGIES)), st.integers(0, 300), st.data())
def test_a_question_is_sent_with_what_the_chat_would_send(
    history: list[Message], strategy: str, window: int, data: st.DataObject
) -> None:
    places = st.sets(st.integers(0, len(history)), max_size=2)
    marks = Marks.of(data.draw(places), data.draw(places))
    settings = replace(SETTINGS, strategy=strategy, max_tokens=window)
    fact = Fact(0, "It is X1.", "What is it?", "X1")
    (question,) = ask_all(history, [Arm("it", settings)], facts=[fact], marks=marks)
    candidates = Candidates.gather(settings.system_prompt, history, question_text(fact), TokenLedger(WORDS))
    plan = plan_context(candidates, settings.window, strategy, marks)
    assert list(question.request.messages) == plan.included
    assert (question.tokens, question.fits) == (plan.input_tokens, plan.fits)
    sent = {item.index for item in plan.items if item.included}
    assert question.held == any(at in sent and at < len(history) for at in places_of_answer(history, fact))


def test_a_closing_is_added_to_each_question() -> None:
    (question,) = ask_all(CHAT, [Arm("a", SETTINGS)], facts=FACTS[:1], closing=ADMIT_CLOSING)
    assert question.request.messages[-1] == user(f"{FACTS[0].question} {ADMIT_CLOSING}")


def test_two_arms_of_one_name_are_refused_and_unknown_prices_are_none() -> None:
    with pytest.raises(ValueError, match="same name"):
        ask_all(TALK, [Arm("a", SETTINGS), Arm("a", SETTINGS)])
    strange = ask_all(TALK, [Arm("a", replace(SETTINGS, provider="mine"))])
    assert estimate(strange).cost is None
    assert estimate([]).cost == Decimal(0)


def finished(probe: Probe) -> tuple[Answer, ...]:
    probe.start()
    assert probe.done.wait(20)
    return probe.results


def test_replies_are_graded_and_priced() -> None:
    fact = Fact(0, CODE, "What is the code of the safe?", "4711")
    questions = ask_all(CHAT, arms_of(CONTESTANTS[:1], wide)[1:], facts=[fact], repeats=2)
    usage = Usage(40, 0, 0, 5)
    provider = ScriptedProvider(
        Script(["It is ", "4711."], usage=usage),
        Script(["4711"], usage=usage),
        Script(["You haven't told me."], usage=usage),
        Script(["1234"]),
    )
    before = [message.to_dict() for message in CHAT]
    probe = Probe(questions, lambda settings: provider, catalogue.find)
    answers = finished(probe)
    assert [answer.verdict for answer in answers] == ["recalled", "recalled", "admitted", "made_up"]
    assert [answer.reply for answer in answers] == ["It is 4711.", "4711", "You haven't told me.", "1234"]
    luna = catalogue.find("openai", "gpt-6-luna")
    assert luna is not None
    price = costs.cost(luna, usage)
    assert price is not None
    assert [answer.cost for answer in answers] == [price.total] * 3 + [None]
    assert [(answer.held, answer.error) for answer in answers] == [(True, None)] * 2 + [(False, None)] * 2
    assert [answer.arm for answer in answers] == ["everything"] * 2 + ["nothing"] * 2
    assert provider.requests == [question.request for question in questions]
    assert (probe.progress, probe.cancelled) == (Progress(4, 4), False)
    assert [message.to_dict() for message in CHAT] == before


def test_a_failure_is_kept_and_the_next_question_is_asked() -> None:
    questions = ask_all(CHAT, [Arm("a", replace(SETTINGS, max_tokens=4000))], facts=FACTS[:1], repeats=5)
    questions[3] = replace(questions[3], fits=False)
    provider = ScriptedProvider(Script(["47"], RateLimited("Too fast.")), Script(["4711"]), Script([" "]))
    answers = finished(Probe(questions, lambda settings: provider, catalogue.find))
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
    assert "conversation" in (answers[0].error or {})["safe"]


@pytest.mark.parametrize("error", [MissingKey("No key."), WrongKey("Refused.")])
def test_a_provider_that_refuses_the_key_is_asked_once(error: Exception) -> None:
    chosen = [Arm("a", SETTINGS), Arm("b", replace(SETTINGS, provider="mine")), Arm("c", SETTINGS)]
    refusing, mine = ScriptedProvider(Script([], error)), ScriptedProvider(Script(["4711"]))
    questions = ask_all(CHAT, chosen, facts=FACTS[:1])
    answers = finished(Probe(questions, lambda s: mine if s.provider == "mine" else refusing, catalogue.find))
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


def test_cancelling_takes_effect_at_once_and_keeps_earlier_answers() -> None:
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
def test_a_real_model_recalls_only_what_it_is_sent(model: LocalModel) -> None:
    fact = next(fact for fact in suggest_facts(CHAT) if fact.answer == "4711")
    settings = ChatSettings("local", model.name, SYSTEM_PROMPT, 2048, 256, "oldest_first")
    ledger = TokenLedger(WORDS)
    questions = plan_questions(
        CHAT,
        [fact],
        arms_of([Contestant("window", settings)]),
        lambda settings: ledger,
        catalogue.find,
        answer_tokens=40,
    )
    probe = Probe(questions, lambda settings: LocalProvider(model), catalogue.find)
    probe.start()
    assert probe.done.wait(120)
    by_arm = {answer.arm: answer for answer in probe.results}
    assert [answer.error for answer in probe.results] == [None] * 3
    assert by_arm["everything"].verdict == by_arm["window"].verdict == "recalled"
    assert by_arm["nothing"].verdict != "recalled"
    assert all(answer.usage.input_tokens and answer.cost == 0 for answer in probe.results)
