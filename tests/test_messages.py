"""Messages keep everything that was stored."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.messages import Message, Usage, assistant, system, user, utf8_safe

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
stored = st.builds(
    lambda rest, role: {**rest, "role": role},
    st.dictionaries(st.sampled_from(["content", "name", "tool_calls"]) | st.text(), json_values),
    st.text(),
)


@given(stored)
def test_any_stored_object_round_trips(value: dict[str, object]) -> None:
    assert Message.from_dict(value).to_dict() == value


@pytest.mark.parametrize("value", [None, "text", 7, [], {}, {"content": "x"}, {"role": None, "content": "x"}])
def test_anything_else_is_refused_with_what_was_expected(value: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        Message.from_dict(value)  # type: ignore[arg-type]  # values of the wrong type are the point


def test_each_role_has_a_function_that_makes_its_message() -> None:
    assert user("Hello").to_dict() == {"role": "user", "content": "Hello"}
    assert assistant("Hi!").to_dict() == {"role": "assistant", "content": "Hi!"}
    assert system("Be brief.").to_dict() == {"role": "system", "content": "Be brief."}
    assert system("Be brief.").is_system
    assert not user("Hello").is_system


def test_null_content_is_not_missing_content() -> None:
    assert Message.from_dict({"role": "assistant", "content": None}).to_dict() == {"role": "assistant", "content": None}
    assert Message.from_dict({"role": "assistant"}).to_dict() == {"role": "assistant"}


@given(st.builds(Usage, *[st.none() | st.integers(0, 10**12)] * 6))
def test_usage_round_trips_with_unknown_as_none(usage: Usage) -> None:
    assert Usage.from_dict(usage.to_dict()) == usage


def test_a_usage_stored_without_hidden_tokens_is_read() -> None:
    assert Usage.from_dict({"input_tokens": 5, "output_tokens": 2}) == Usage(5, None, None, 2, None, None)


def join_or_replace(surrogates: re.Match[str]) -> str:
    high, low = surrogates.groups()
    return "\ufffd" if high is None else chr(0x10000 + ((ord(high) - 0xD800) << 10) + ord(low) - 0xDC00)


@given(st.text(st.sampled_from("aü😀\ufeff\ud83d\ude00") | st.characters()))
def test_utf8_safe_joins_surrogate_pairs_and_replaces_lone_surrogates(text: str) -> None:
    safe = utf8_safe(text)
    assert safe.encode().decode() == safe
    assert safe == re.sub("([\ud800-\udbff])([\udc00-\udfff])|[\ud800-\udfff]", join_or_replace, text)


def test_utf8_safe_leaves_other_text_alone() -> None:
    assert utf8_safe("ü😀") == "ü😀"
    assert utf8_safe("a\ud83d\ude00b \ud83d") == "a😀b \ufffd"
