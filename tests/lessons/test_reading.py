"""Lesson files: the shipped ones are lessons, and a broken one is told every place that is wrong."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InvalidLesson
from lib.lessons import Lesson, reading
from lib.lessons.fields import Fields, Problems
from lib.lessons.library import SHIPPED, find_lessons
from lib.lessons.reading import MOST_BYTES, read_lesson
from lib.messages import assistant, user

WHOLE = """
title = "A lesson"
summary = "What it is."
minutes = 5
view = "pairs"
look_at = ["This."]
explanation = "Why."

[prediction]
question = "What will it say?"
choices = ["Yes", "No"]
right = 2

[chat]
system = "Be brief."
window = 100
reply = 20
strategy = "none"

[[arms]]
name = "One"
given = ["user: Hi: there", "assistant: Hello"]
prompts = ["And?"]
answer = "7421"
known = false

[[arms]]
name = "Two"
prompts = ["And?"]
window = 50
"""


def read(text: str) -> Lesson:
    return read_lesson("9-a.toml", text.encode())


def refused(text: str) -> str:
    with pytest.raises(InvalidLesson) as caught:
        read(text)
    return caught.value.what


def test_a_lesson_is_read_and_an_arm_takes_the_rest_from_chat() -> None:
    lesson = read(WHOLE)
    one, two = lesson.arms
    assert (lesson.id, lesson.title, lesson.minutes, lesson.view) == ("9-a", "A lesson", 5, "pairs")
    assert lesson.prediction.choices[lesson.prediction.right] == "No"
    assert one.given == (user("Hi: there"), assistant("Hello"))
    assert (one.answer, one.known, one.window, two.window) == ("7421", False, 100, 50)
    assert (two.system_prompt, two.reserve, two.strategy, two.known) == ("Be brief.", 20, "none", True)


def test_every_shipped_file_is_a_lesson() -> None:
    library = find_lessons()
    assert library.broken == ()
    assert [each.id for each in library.lessons] == sorted(path.stem for path in SHIPPED.glob("*.toml"))


def test_all_that_is_wrong_is_said_at_once_with_its_place() -> None:
    text = (
        WHOLE.replace('title = "A lesson"\n', "")
        .replace("minutes = 5", 'minutes = "five"')
        .replace("right = 2", "right = 3")
        .replace('name = "Two"', 'name = "Two"\nanswr = "x"\nreply = 60')
        .replace("assistant: Hello", "Hello")
    )
    assert refused(text) == (
        "9-a.toml is not a lesson yet: [[arms]] 1, “given” must be lines like “user: Hello”; the 2nd is not;"
        " [[arms]] 2, “reply” must be smaller than the window;"
        " [[arms]] 2, “answr” is not a field of a lesson;"
        " “title” is missing;"
        " “minutes” must be a whole number from 1 to 120;"
        " [prediction], “right” must be a whole number from 1 to 2."
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"title = ", "9-a.toml is not TOML"),
        (b"\xff\xfe", "9-a.toml is not UTF-8: byte 1 cannot be read."),
        (b"a = " + b"[" * 50_000, "9-a.toml is not TOML"),
        (b" " * (MOST_BYTES + 1), "a lesson has at most 200,000."),
        (b"", "“title” is missing"),
    ],
)
def test_what_is_no_lesson_is_refused_with_a_reason(raw: bytes, words: str) -> None:
    with pytest.raises(InvalidLesson) as caught:
        read_lesson("9-a.toml", raw)
    assert words in caught.value.what


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(tomllib.loads(WHOLE))), VALUES)
def test_any_value_in_any_field_is_read_or_refused(name: str, value: object) -> None:
    problems = Problems()
    reading._lesson("x", Fields("", tomllib.loads(WHOLE) | {name: value}, problems))
    assert all(isinstance(each, str) for each in problems.found)
