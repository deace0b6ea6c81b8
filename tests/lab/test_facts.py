"""Facts are found, asked for without giving the answer away, and recalled by a reply that repeats them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.lab.answer_match import answer_key, contains
from lib.lab.facts import GAP, SEARCHED, Fact, suggest_facts
from lib.lab.recall.grading import grade
from lib.messages import Message, assistant, system, user
from lib.ui.chat.welcome import CODE, DOG, EXAMPLE
from tests.support.call_counts import calls_during
from tests.support.cases.conversations import histories, results_in_parts


def answers(*said: str) -> list[str]:
    return [fact.answer for fact in suggest_facts([user(text) for text in said])]


@pytest.mark.parametrize(
    ("said", "question", "answer"),
    [
        (CODE, "What is the code of the safe?", "4711"),
        (DOG, "What is the name of my dog?", "Bruno"),
        (EXAMPLE, "What is the time of my train?", "9:15"),
        ("I live in Lisbon and I have a dog called Bruno.", "Where do I live?", "Lisbon"),
        ("I live in Lisbon and I have a dog called Bruno.", "What is the name of my dog?", "Bruno"),
        ("Hello, my name is Zoë Müller.", "What is my name?", "Zoë Müller"),
        ("My dog is called Bo.", "What is the name of my dog?", "Bo"),
        ("I'm Tom.", "What is my name?", "Tom"),
        ("My sister's email is ana.b@example.com, write to her.", "What is my sister's email?", "ana.b@example.com"),
        ("I was born on 4 May 1980", "When was I born?", "4 May 1980"),
        ("The meeting with the bank is on 2026-12-03.", "When is the meeting with the bank?", "2026-12-03"),
        ("Our budget is about $1,250.50 for now", "What is our budget?", "$1,250.50"),
        ("the project budget = 80 000 euros", "What is the project budget?", "80 000"),
        ("The booking code of our room is BX-4471.", "What is the booking code of our room?", "BX-4471"),
        ("My password is hunter2", "What is my password?", "hunter2"),
        ("My number is +49 170 1234567!", "What is my number?", "+49 170 1234567"),
        (
            "We take view KL-1023 home.",
            f"Earlier I wrote: “We take view {GAP} home.” What stood in place of {GAP}?",
            "KL-1023",
        ),
        (
            "Then we asked Anna Schmidt.",
            f"Earlier I wrote: “Then we asked {GAP}.” What stood in place of {GAP}?",
            "Anna Schmidt",
        ),
    ],
)
def test_a_fact_is_found_and_asked_for(said: str, question: str, answer: str) -> None:
    assert (question, answer) in [(fact.question, fact.answer) for fact in suggest_facts([user(said)])]


@pytest.mark.parametrize(
    "said",
    [
        "What is 17 * 23?",
        "Is Anna there?",
        "",
        "hello there",
        "I have 3 cats",
        "See https://example.com/2026/a12b34",
        "Please write it in French on Monday",
        "```\nport = 8080\n```",
        "run `kill 4242` now",
        "Tell me more. Then stop.",
        "Give me three tips for learning Python.",
        "Please write 300 words about Rome",
        "ok, now compare Anna Schmidt with Bob Miller.",
        "Can you find the flight to Porto on 14 May",
        "what is the capital of France",
        "How do I get from Graz to Vienna",
        "where is the meeting on 3 May 2026",
        "I want you to act as Ada Lovelace",
    ],
)
def test_a_message_without_facts_gives_no_suggestion(said: str) -> None:
    assert answers(said) == []


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Remember the booking code BX-4471.", "BX-4471"),
        ("I want to plan a trip to Porto", "Porto"),
        ("When I was at Siemens, I paid 4711 euros.", "4711"),
        ("Show me the map. My code is 4711.", "4711"),
        ("Use of the room 4711 is mine.", ""),
        ("Planning is done by Anna Schmidt", "Anna Schmidt"),
    ],
)
def test_a_statement_is_told_from_a_request(said: str, answer: str) -> None:
    assert (answer in answers(said)) if answer else answers(said) == []


def test_only_the_users_own_text_counts() -> None:
    history = [
        system("The code is 1111."),
        assistant("The code is 2222."),
        results_in_parts("c0"),
        Message("tool", "The code is 3333."),
        Message("user", [{"type": "text", "text": "The code is 4444."}, {"type": "image"}]),
        Message("user", None),
        Message("user", 5),
    ]
    (fact,) = suggest_facts(history)
    assert fact == Fact(4, "The code is 4444.", "What is the code?", "4444")


def test_of_two_values_for_one_question_the_later_one_is_asked_for() -> None:
    assert answers("My code is 1111.", "no", "My code is 2222.") == ["2222"]
    (once,) = suggest_facts([user("My code is 1111."), user("The lock takes 1111 too.")])
    assert (once.index, once.question) == (0, "What is my code?")


def test_the_best_facts_are_kept_in_the_order_they_were_said() -> None:
    said = [f"Then we met Person{chr(97 + n)} {'so ' * n}there." for n in range(20)]
    said[5:5] = ["My email is a@b.example", "The code is 4711"]
    found = suggest_facts([user(text) for text in said], most=4)
    assert [fact.answer for fact in found] == ["Persona", "Personb", "a@b.example", "4711"]
    assert [fact.index for fact in found] == [0, 1, 5, 6]


def test_a_sentence_that_was_said_with_several_values_is_not_asked_for() -> None:
    assert answers("We met Anna there.", "We met Bob there.", "We met Carla there.") == []
    assert answers("We met Anna there.", "We met Anna there.") == ["Anna"]


def test_a_long_sentence_is_shown_around_the_gap() -> None:
    (fact,) = suggest_facts([user(f"{'so ' * 80}we paid 4711 euros {'and ' * 80}left")])
    assert len(fact.question) < 260
    assert f"…{GAP}" not in fact.question
    assert fact.question.count("…") == 2


@given(histories())
def test_a_question_never_contains_its_answer_and_an_echo_recalls_it(history: list[Message]) -> None:
    for fact in suggest_facts(history):
        assert fact.answer in fact.text
        assert not contains(fact.question, fact.answer)
        assert grade(f"You said: {fact.text}", fact) == "recalled"


said_things = st.lists(
    st.sampled_from(
        [
            "my code is 4711",
            "I met Anna Schmidt and Bob",
            "on 3 May 2026 at 14:30",
            "pay $1,250.00",
            "a@b.example wrote",
            "KL-1023 is late",
            "call +49 170 1234567",
            "“Quoted Words” (Paris)",
            "Zoë’s cat",
            "日本 is 20.5",
            "1.5",
            "\n",
            ". ",
            "?",
        ]
    ),
    max_size=12,
).map(" ".join)


@given(st.lists(said_things | st.text(max_size=80), max_size=6), st.integers(0, 5))
def test_each_answer_and_question_is_suggested_once(said: list[str], most: int) -> None:
    history = [user(text) for text in said]
    found = suggest_facts(history, most)
    assert found == suggest_facts(history, most)
    assert len(found) <= most
    assert len({fact.question for fact in found}) == len({answer_key(fact.answer) for fact in found}) == len(found)
    for fact in found:
        assert fact.text in said[fact.index]
        assert not contains(fact.question, fact.answer)
        assert grade(fact.answer, fact) == grade(fact.answer.upper(), fact) == "recalled"


def test_a_message_of_a_long_conversation_costs_no_more_than_one_of_a_short_one() -> None:
    history = [
        user(f"Contestant {n} of the log: on 3 May Anna paid {n + 100} euros for KL-{n}. {'word ' * 30}")
        for n in range(600)
    ]
    assert len(suggest_facts(history)) == 12
    assert calls_during(lambda: suggest_facts(history)) < 2.2 * calls_during(lambda: suggest_facts(history[:300]))


def test_only_the_beginning_of_a_long_message_is_searched() -> None:
    assert answers(f"{'so ' * (SEARCHED // 3)} my code is 4711.") == []
    assert answers(f"My code is 4711. {'so ' * SEARCHED}") == ["4711"]


def test_odd_texts_do_not_hang_the_search() -> None:
    """In a process of its own: a regular expression that backtracks for minutes can only be killed."""
    script = (
        "from lib.lab.facts import suggest_facts; from lib.messages import user\n"
        "suggest_facts([user('1 ' * 50_000), user('A-' * 50_000), user('A' * 100_000), user('1' * 100_000),"
        " user('a.b' * 9999 + '@')])"
    )
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=True, timeout=60)
