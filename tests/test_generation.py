"""Generation settings: off is not stored, out of bounds is refused in words, and any stored value is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.generation import EFFORTS, LARGEST_SEED, OFF, WORDS, Generation
from lib.stored_turns import read_live
from lib.turns import LiveTurn

SETTINGS = ChatSettings("local", "m", "", 1000, 200, "none")

generations = st.builds(
    Generation,
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    seed=st.none() | st.integers(0, LARGEST_SEED),
    max_reply_tokens=st.none() | st.integers(1, 1_000_000),
    reasoning_effort=st.none() | st.sampled_from(EFFORTS),
    stop=st.lists(st.text(min_size=1, max_size=100), max_size=4).map(tuple),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=120),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(generations)
def test_what_is_stored_is_read_back_and_what_is_off_is_not_stored(generation: Generation) -> None:
    stored = generation.to_dict()
    assert Generation.read(stored) == Generation.of(stored) == generation
    assert None not in stored.values()
    for name in WORDS:
        assert name not in generation.without(name).to_dict()


@given(st.dictionaries(st.sampled_from([*WORDS, "top_k"]), json_values) | json_values)
def test_any_stored_value_is_read_without_an_error(stored: Any) -> None:
    assert Generation.of(Generation.read(stored).to_dict()) == Generation.read(stored)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"temperature": 2.5}, "The temperature is 2.5, but must be a number from 0 to 2"),
        ({"temperature": True}, "The temperature is true"),
        ({"top_p": float("nan")}, "The top-p is a number out of range, but must be a number from 0 to 1"),
        ({"seed": -1}, "The seed is -1, but must be a whole number from 0"),
        ({"seed": 1.5}, "The seed is 1.5"),
        ({"max_reply_tokens": 0}, "The longest reply is 0"),
        ({"reasoning_effort": "enormous"}, "must be one of none, minimal, low"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "at most 4 texts"),
        ({"stop": [""]}, "texts of 1 to 100 characters"),
        ({"stop": 5}, "texts of 1 to 100 characters"),
        ({"top_k": 5}, "“top_k” is no generation setting"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ChatError) as refused:
        Generation.of(values)
    assert words in refused.value.what


def test_a_session_stored_before_there_were_generation_settings_has_them_off() -> None:
    stored = SETTINGS.to_dict()
    del stored["generation"]
    assert SETTINGS.updated(stored).generation == OFF


def test_one_unusable_value_does_not_turn_the_others_off() -> None:
    stored = {"generation": {"temperature": 9, "seed": 7, "of_a_later_version": 1}}
    assert SETTINGS.updated(stored).generation == Generation(seed=7)


@given(generations)
def test_settings_and_live_turns_carry_them(generation: Generation) -> None:
    settings = replace(SETTINGS, generation=generation)
    assert SETTINGS.updated(settings.to_dict()) == settings
    live = LiveTurn("hello", settings, "me", 1.0)
    assert read_live({"beat": 1.0, **live.to_dict()}, 0.0).settings == settings


def test_the_longest_reply_is_what_planning_keeps_room_for() -> None:
    settings = replace(SETTINGS, generation=Generation(max_reply_tokens=50, seed=7))
    assert (settings.reply_tokens, settings.window.input_budget) == (50, 950)
    assert SETTINGS.window.input_budget == 800
    smaller = settings.in_window(400, 100)
    assert (smaller.reply_tokens, smaller.window.input_budget, smaller.generation.seed) == (100, 300, 7)
