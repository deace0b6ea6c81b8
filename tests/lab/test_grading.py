"""What a reply is worth: each rule of sameness and of admitting, case by case."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.lab.answer_match import answer_key, contains, folded, number_forms
from lib.lab.facts import Fact
from lib.lab.recall.grading import VERDICT_TEXT, admits, grade


def fact(answer: str) -> Fact:
    return Fact(0, f"It is {answer}.", "What is it?", answer)


SAME = [
    ("4711", "The code is 4711."),
    ("4711", "**4711**"),
    ("4711", "4,711"),
    ("1250", "$1,250.00"),
    ("€1,250", "1250 euros"),
    ("1.250", "1250"),
    ("1,250", "1.250"),
    ("80 000", "80,000"),
    ("80000", "about 80 000 or so"),
    ("1'250", "1250"),
    ("3.50", "3,5"),
    ("12%", "12 percent"),
    ("5 km", "It is 5km away."),
    ("0042", "PIN: 0042"),
    ("4711", "４７１１"),
    ("42", "٤٢"),
    ("Bruno", "his name is BRUNO!"),
    ("Bruno", "It is Bruno's."),
    ("Zoë Müller", "zoe muller"),
    ("O’Brien", "Mr O'Brien"),
    ("Anna Schmidt", "Anna  Schmidt"),
    ("Anna Schmidt", "Anna\nSchmidt"),
    ("the red house", "a red house"),
    ("KL-1023", "kl 1023"),
    ("ana.b@example.com", "Write to ANA.B@example.com."),
    ("Straße", "STRASSE"),
    ("2026-11-22", "22 November 2026"),
    ("2026-11-22", "November 22nd, 2026"),
    ("22.11.2026", "Nov. 22"),
    ("Nov 22", "2026-11-22"),
    ("03/04/2026", "3 April 2026"),
    ("03/04/2026", "4 March 2026"),
    ("2026/11/22", "the 22nd of November"),
    ("14:30", "2:30 pm"),
    ("3 pm", "15:00"),
    ("3:30 pm", "at 3:30pm"),
    ("3:30pm", "at 3:30 p.m."),
    ("3:30PM", "15:30"),
    ("12:15am", "0:15"),
    ("12 am", "0:00"),
    ("+49 170 1234567", "+49-170-123-45-67"),
    ("(030) 123 4567", "0301234567"),
    ("北京", "答案是北京。"),
    ("東京", "東京です"),
    ("🐶", "a dog 🐶"),
    ("1.2.3", "version 1.2.3"),
    ("192.168.0.1", "at 192.168.0.1."),
]
OTHER = [
    ("42", "421"),
    ("42", "142"),
    ("42", "4 2"),
    ("4711", "4712"),
    ("0042", "42"),
    ("1250", "1.25"),
    ("1,250", "1.25"),
    ("Bruno", "Brunos Bar"),
    ("Ann", "Anna"),
    ("Anna Schmidt", "Anna Maria Schmidt"),
    ("Anna Schmidt", "Schmidt, Anna"),
    ("2026-11-22", "22 November 2025"),
    ("2026-11-22", "November 23"),
    ("22.11.2026", "11/2026"),
    ("14:30", "2:30"),
    ("3:30pm", "3:30"),
    ("3:30pm", "3:30am"),
    ("3:30", "3:305"),
    ("3 pm", "3 am"),
    ("b@example.com", "ana.b@example.com"),
    ("twelve", "12"),
    ("+49 170 1234567", "+49 170 1234568"),
    ("北京", "北海"),
    ("🐶", "🐱"),
    ("1.2.3", "1.2.4"),
    ("", "anything"),
    (" ", "any thing"),
]


@pytest.mark.parametrize(("answer", "reply"), SAME)
def test_the_same_in_other_writing_is_recalled(answer: str, reply: str) -> None:
    assert contains(reply, answer)
    assert grade(reply, fact(answer)) == "recalled"


@pytest.mark.parametrize(("answer", "reply"), OTHER)
def test_something_else_is_not(answer: str, reply: str) -> None:
    assert not contains(reply, answer)
    assert grade(reply, fact(answer)) == "made_up"


ADMITTED = [
    "I don't know.",
    "I don’t know",
    "I do not know that.",
    "Sorry, I dont know",
    "I can't recall that.",
    "I cannot see it here.",
    "You haven't told me.",
    "You have not told me your name yet.",
    "You didn't mention it.",
    "It was not mentioned.",
    "That hasn't been specified.",
    "I don't have that information.",
    "As an AI, I do not have access to personal data.",
    "There is no mention of a code.",
    "I have no idea.",
    "I'm not sure.",
    "I am unable to tell.",
    "I'm not able to tell you.",
    "No information was given.",
    "You never told me.",
    "It is unknown.",
    "Das weiß ich leider nicht.",
    "Ich weiß es nicht.",
    "Dazu habe ich keine Informationen.",
    "Je ne sais pas.",
    "No lo sé.",
    "Non lo so.",
    "Não sei.",
    "",
    "   ",
    "I don't know, but perhaps it is 1234.",
    "I actually don't really know.",
]
CLAIMED = [
    "It is 1234.",
    "Your name is Tom.",
    "You do not have a dog.",
    "The code is not 5, it is 6.",
    "You know it: 1234.",
    "The sky is clear.",
    "Yes.",
    "Don't worry, it is 1234.",
    "I can see that it is 1234.",
]


@pytest.mark.parametrize("reply", ADMITTED)
def test_saying_so_is_admitting(reply: str) -> None:
    assert grade(reply, fact("4711")) == "admitted"


@pytest.mark.parametrize("reply", CLAIMED)
def test_everything_else_is_made_up(reply: str) -> None:
    assert not admits(reply)
    assert grade(reply, fact("4711")) == "made_up"


def test_the_right_value_counts_whatever_stands_beside_it() -> None:
    assert grade("I am not sure, but it may be 4711.", fact("4711")) == "recalled"
    assert grade("Either 1234 or 4711.", fact("4711")) == "recalled"
    assert set(VERDICT_TEXT) == {"recalled", "admitted", "made_up"}


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("1.250", {"1250", "1.25"}),
        ("1,250", {"1250"}),
        ("1,250.50", {"1250.5"}),
        ("1.250,50", {"1250.5"}),
        ("0042", {"0042"}),
        ("0,5", {"0.5"}),
        ("0.125", {"0.125"}),
        ("12,345,678", {"12345678"}),
        ("1.2.3", {"1.2.3"}),
        ("1,2.3,4", {"1,2.3,4"}),
        ("3,0", {"3"}),
        ("9" * 5000, {"9" * 5000}),
        ("0", {"0"}),
        ("0.0", {"0"}),
    ],
)
def test_numbers_are_read_as_people_write_them(written: str, values: set[str]) -> None:
    assert number_forms(written) == values


@given(st.integers(0, 10**12))
def test_a_number_is_the_same_in_every_grouping(value: int) -> None:
    for written in (f"{value:,}", f"{value:_}".replace("_", " "), f"{value:_}".replace("_", "’"), f"{value:,}.00"):
        assert contains(f"It is {written} now", str(value)), written
        assert answer_key(written) == answer_key(str(value))
    assert not contains(f"It is {value}7 now", str(value))


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_date_is_the_same_in_every_writing(day: date) -> None:
    iso = f"{day:%Y-%m-%d}"
    for written in (
        f"{day:%d %B %Y}",
        f"{day:%B %d, %Y}",
        f"{day:%b %d}",
        f"{day:%d.%m.%Y}",
        f"{day:%d/%m/%Y}",
        f"{day:%m/%d/%Y}",
    ):
        assert contains(f"on {written}.", iso), written


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=60))
def test_any_text_is_scored_and_an_answer_between_blanks_is_found(before: str, answer: str, after: str) -> None:
    assert grade(before + answer + after, fact(answer)) in VERDICT_TEXT
    if answer.isalpha() and answer.isascii() and folded(answer) not in ("am", "pm", "a", "p"):
        assert contains(f"- {answer} -", answer)
