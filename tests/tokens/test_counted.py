"""What counts as text: never what only a provider can read, and never the data of images and files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.message_parts import Image
from lib.messages import Message, user
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.counted import NON_TEXT_PART, counted, text_of
from lib.tokens.image_sizes import CLAUDE, CLAUDE_LARGE, image_tokens, openai_rule
from lib.tokens.model_counters import counter_for
from tests.support.cases.message_part_cases import picture, with_sealed

COUNTERS = [
    ESTIMATE,
    counter_for("openai", "gpt-5"),
    counter_for("anthropic", "claude-opus-5"),
    counter_for("", "qwen"),
]


@given(blob=st.text("ABCDEFabcdef0123456789+/", min_size=40, max_size=2_000))
def test_encrypted_blocks_signatures_and_data_are_never_text(blob: str) -> None:
    for message, empty in zip(with_sealed(blob), with_sealed("AAAA"), strict=True):
        kept = counted(message).message
        assert blob not in str(kept.content)
        for counter in COUNTERS:
            assert counter.count(message) == counter.count(empty)


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: counter.name)
def test_encrypted_reasoning_adds_nothing_and_what_can_be_read_counts_as_its_text(counter: TokenCounter) -> None:
    text = {"type": "text", "text": "Yes."}
    sealed = {"type": "redacted_thinking", "data": "x" * 9_000}
    signed = {"type": "thinking", "thinking": "", "signature": "x" * 9_000}
    assert counter.count(Message("assistant", [sealed, signed, text])) == counter.count(Message("assistant", [text]))
    read = {"type": "thinking", "thinking": "It must be so, because it is."}
    assert counter.count(Message("assistant", [read, text])) > counter.count(Message("assistant", [text])) + 5


def test_the_text_that_counts_can_be_shown_alone() -> None:
    text = {"type": "text", "text": "Look:"}
    call = {"function": {"name": "f", "arguments": "{}"}}
    message = Message("assistant", [text, {"type": "redacted_thinking", "data": "x"}], {"tool_calls": [call]})
    assert text_of(message) == "Look:\nf\n{}"
    assert text_of(user("a\n\nb")) == "a\n\nb"


def test_what_stands_in_a_text_is_text() -> None:
    written = user(f"What is this? data:image/png;base64,{'QUJD' * 50}")
    assert counted(written).message is written
    call = {"type": "tool_use", "id": "1", "name": "sign", "input": {"signature": "abc " * 50}}
    assert "abc abc" in str(counted(Message("assistant", [call])).message.content)


@pytest.mark.parametrize(
    ("model", "size", "detail", "tokens"),
    [  # the examples of OpenAI's guide
        ("gpt-4o", (1024, 1024), "high", 765),
        ("gpt-4o-2024-08-06", (2048, 4096), "high", 1105),
        ("gpt-4.1", (4096, 4096), "low", 85),
        ("gpt-4.1-mini", (1024, 1024), "auto", 1659),
        ("o4-mini", (1800, 2400), "auto", 2498),
    ],
)
def test_openais_images_are_as_large_as_its_guide_says(
    model: str, size: tuple[int, int], detail: str, tokens: int
) -> None:
    rule = openai_rule(model)
    assert rule is not None
    assert rule.tokens(*size, detail) == tokens


def test_claudes_images_are_patches_up_to_the_models_limit() -> None:
    assert CLAUDE.tokens(280, 281, "auto") == 10 * 11
    assert 1500 < CLAUDE.tokens(6000, 4000, "auto") <= 1568
    assert 4600 < CLAUDE_LARGE.tokens(6000, 4000, "auto") <= 4784
    assert CLAUDE.tokens(1, 100_000, "auto") <= 1568


@given(width=st.integers(1, 30_000), height=st.integers(1, 30_000))
def test_every_size_in_pixels_has_a_size_in_tokens(width: int, height: int) -> None:
    for rule in (CLAUDE, CLAUDE_LARGE, openai_rule("gpt-5"), openai_rule("o4-mini")):
        assert rule is not None
        assert 1 <= rule.tokens(width, height, "high") <= 10_000


@pytest.mark.parametrize("model", ["gpt-5-mini", "gpt-5.6", "gpt-6", "o3-pro", "gpt-4o-audio-preview"])
def test_a_model_without_a_documented_formula_has_none(model: str) -> None:
    assert openai_rule(model) is None
    assert image_tokens(None, Image(picture())) is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_in_a_message_has_the_size_of_its_pixels(kind: str) -> None:
    counter = counter_for("anthropic", "claude-opus-5")
    source = {"type": "base64", "data": picture(280, 140, kind)}
    empty, one = Message("user", []), Message("user", [{"type": "image", "source": source}])
    assert counter.count(one) - counter.count(empty) == 10 * 5
    linked = Message("user", [{"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}])
    assert counter.count(linked) - counter.count(empty) == NON_TEXT_PART
