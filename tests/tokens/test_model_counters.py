"""Counters: equal to recorded counts in every language, and each text is tokenized once."""

from __future__ import annotations

import json
import lzma
import sys
import threading
from pathlib import Path
from typing import Any

import ctok
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.messages import Message, assistant, system, user, utf8_safe
from lib.tokens import PROVENANCE_TEXT, CharacterEstimate, TokenCounter, cache
from lib.tokens.cache import CountCache, shared_cache
from lib.tokens.counted import NON_TEXT_PART
from lib.tokens.ledger import TokenLedger
from lib.tokens.model_counters import ClaudeCounter, LocalCounter, OpenAICounter, counter_for
from lib.tokens.vocabularies import TOKENIZERS, claude, content_tokens
from tests.support.cases.conversations import histories, texts

DECLARATIONS: dict[str, str] = json.loads(
    lzma.decompress((Path(__file__).parents[1] / "data/udhr/texts.json.xz").read_bytes())
)
COUNTED = {  # characters; tokens of o200k_base, cl100k_base, ctok 3.0, ctok 4.8; error of characters / 4 in percent
    "eng": (10269, 1888, 1887, 2025, 2947, (36, 36, 27, -13)),
    "deu_1996": (11523, 2404, 3114, 3808, 5393, (20, -7, -24, -47)),
    "cmn_hans": (2673, 2124, 3118, 2888, 2887, (-69, -79, -77, -77)),
    "arb": (7228, 2216, 5013, 4664, 4664, (-18, -64, -61, -61)),
    "jpn": (4004, 3407, 4664, 3735, 3734, (-71, -79, -73, -73)),
    "kor": (4498, 2583, 4494, 4579, 4578, (-56, -75, -75, -75)),
    "rus": (11376, 2619, 4897, 4002, 4002, (9, -42, -29, -29)),
    "hin": (10411, 2946, 10099, 7189, 7191, (-12, -74, -64, -64)),
    "tha": (9051, 3779, 8729, 7689, 7689, (-40, -74, -71, -71)),
}
RECORDED = {  # Anthropic's counting endpoint on each text as one user message: Opus 4.5, Opus 4.7
    "eng": (2032, 2958),
    "deu_1996": (3815, 5404),
    "cmn_hans": (2895, 2899),
    "arb": (4671, 4675),
    "jpn": (3742, 3746),
    "kor": (4586, 4590),
    "rus": (4009, 4013),
    "hin": (7196, 7202),
    "tha": (7696, 7700),
    "fra": (3351, 4300),
    "spa": (3138, 4289),
    "por_BR": (3015, 4106),
    "tur": (4112, 5194),
    "vie": (5276, 5592),
    "heb": (4805, 4810),
    "ukr": (4032, 4053),
    "ell_monotonic": (7565, 7592),
    "pol": (3674, 5119),
    "ben": (8467, 8471),
}
MODELS = [
    ("openai", "gpt-4o", "o200k_base", "counted", 3),
    ("openai", "openai/gpt-4o-2024-08-06", "o200k_base", "counted", 3),
    ("openai", "ft:gpt-4o:acme::1", "o200k_base", "counted", 3),
    ("openai", "gpt-4o-mini", "o200k_base", "counted", 3),
    ("openai", "gpt-4o-mini-search-preview", "o200k_base", "assumed", 3),
    ("azure", "azure/gpt-4.1-mini", "o200k_base", "counted", 3),
    ("openai", "gpt-4.5-preview", "o200k_base", "counted", 3),
    ("openai", "chatgpt-4o-latest", "o200k_base", "assumed", 3),
    ("openai", "gpt-4-turbo", "cl100k_base", "counted", 3),
    ("openai", "gpt-4-0613", "cl100k_base", "counted", 3),
    ("azure", "gpt-35-turbo", "cl100k_base", "counted", 3),
    ("openai", "o3-mini", "o200k_base", "counted", 2),
    ("openai", "o1-mini", "o200k_base", "assumed", 2),
    ("openai", "o4-mini", "o200k_base", "assumed", 2),
    ("openai", "gpt-5", "o200k_base", "counted", 2),
    ("openai", "gpt-5.6-sol", "o200k_base", "counted", 2),
    ("openai", "gpt-5.7", "o200k_base", "assumed", 2),
    ("openai", "gpt-6", "o200k_base", "assumed", 2),
    ("openai", "computer-use-preview", "o200k_base", "counted", 2),
    ("bedrock", "openai.gpt-oss-120b-1:0", "o200k_base", "assumed", 2),
    ("openai", "chat-latest", "o200k_base", "assumed", 2),
    ("openai", "", "o200k_base", "assumed", 2),
    ("anthropic", "claude-3-5-sonnet-20241022", "ctok 3.0", "reconstructed", 4),
    ("vertex", "claude-3-5-sonnet-v2@20241022", "ctok 3.0", "reconstructed", 4),
    ("anthropic", "claude-sonnet-4-20250514", "ctok 3.0", "reconstructed", 4),
    ("anthropic", "claude-haiku-4-5", "ctok 3.0", "reconstructed", 4),
    ("anthropic", "claude-opus-4-6", "ctok 3.0", "reconstructed", 4),
    ("openai", "anthropic/claude-opus-4.7", "ctok 4.7", "reconstructed", 4),
    ("bedrock", "us.anthropic.claude-opus-4-8-20260401-v1:0", "ctok 4.8", "reconstructed", 4),
    ("anthropic", "claude-fable-5", "ctok 4.8", "reconstructed", 4),
    ("anthropic", "claude-haiku-5-5", "ctok 4.8", "reconstructed", 4),
    ("anthropic", "claude-opus-6", "ctok 4.8", "assumed", 4),
    ("anthropic", "claude-nova", "ctok 4.8", "assumed", 4),
    ("anthropic", "claude-2.1", "ctok 3.0", "assumed", 4),
    ("openai", "qwen3:8b", "o200k_base as a stand-in", "assumed", 3),
    ("anthropic", "glm-4.6", "o200k_base as a stand-in", "assumed", 3),
    ("local", "SmolLM2-135M-Instruct", "o200k_base as a stand-in", "assumed", 3),
]
COUNTERS = [counter_for("openai", "gpt-4o"), counter_for("openai", "gpt-4"), counter_for("x", "llama-3")] + [
    counter_for("anthropic", f"claude-opus-{version}") for version in ("4-5", "4-7", "5")
]
each_counter = pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: counter.name)


@pytest.mark.parametrize(("kind", "model", "name", "provenance", "opening"), MODELS)
def test_a_models_name_selects_its_counter(kind: str, model: str, name: str, provenance: str, opening: int) -> None:
    counter = counter_for(kind, model)
    assert (counter.name, counter.provenance) == (name, provenance)
    assert counter.template(True) == counter.template(False) == opening
    assert isinstance(counter, LocalCounter)
    assert counter.tokenizer in TOKENIZERS
    assert counter_for(kind, model) is counter


@given(kind=st.sampled_from(["openai", "anthropic", "local", ""]), model=st.text(max_size=30))
def test_no_name_raises_and_an_unknown_one_is_assumed(kind: str, model: str) -> None:
    counter = counter_for(kind, model)
    assert counter.provenance == "assumed" or any(family in model.lower() for family in ("gpt", "o3", "claude"))
    assert counter.provenance in PROVENANCE_TEXT
    assert isinstance(counter, LocalCounter)
    assert counter.tokenizer in TOKENIZERS


@given(model=st.from_regex(r"(gpt|o|claude|claude-opus|llama)-?[0-9]{0,2}[-.][0-9a-z]{0,3}", fullmatch=True))
def test_names_that_resemble_known_ones_do_not_raise(model: str) -> None:
    assert counter_for("openai", model).count(user("hello")) > 0


def test_openai_adds_three_tokens_to_role_and_content() -> None:
    counter = counter_for("openai", "gpt-4o")
    assert counter.count(user("hello world")) == 3 + 1 + 2
    assert counter.count(system("")) == 3 + 1
    assert counter.count(Message("developer", "hello world")) == 3 + 1 + 2
    assert counter.count(Message("user", "hello world", {"name": "hello"})) == 3 + 1 + 2 + 1 + 1
    assert counter.count(Message("tool", "hello world", {"tool_call_id": "call_1"})) == 3 + 1 + 2


@pytest.mark.parametrize(
    ("model", "billed"), [("gpt-4", 129), ("gpt-3.5-turbo-0613", 129), ("gpt-4o", 124), ("gpt-4o-mini", 124)]
)
def test_openais_published_example_gives_the_count_of_its_api(model: str, billed: int) -> None:
    """The messages and counts of "How to count tokens with tiktoken" in OpenAI's cookbook."""
    example = [
        (
            "system",
            None,
            "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
        ),
        ("system", "example_user", "New synergies will help drive top-line growth."),
        ("system", "example_assistant", "Things working well together will increase revenue."),
        (
            "system",
            "example_user",
            "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
        ),
        ("system", "example_assistant", "Let's talk later when we're less busy about how to do better."),
        ("user", None, "This late pivot means we don't have time to boil the ocean for the client deliverable."),
    ]
    messages = [Message(role, text, {"name": name} if name else {}) for role, name, text in example]
    counter = counter_for("openai", model)
    assert sum(counter.count_many(messages)) + counter.template(True) == billed


@pytest.mark.parametrize("language", COUNTED)
def test_each_tokenizer_gives_the_measured_count_in_each_language(language: str) -> None:
    text = DECLARATIONS[language]
    characters, *tokens, errors = COUNTED[language]
    assert len(text) == characters
    assert [content_tokens(name, text) for name in ("o200k_base", "cl100k_base", "ctok 3.0", "ctok 4.8")] == tokens
    estimate = CharacterEstimate().count(user(text))
    assert tuple(round(100 * (estimate / exact - 1)) for exact in tokens) == errors


@pytest.mark.parametrize("language", RECORDED)
@pytest.mark.parametrize(("model", "column"), [("claude-opus-4-5", 0), ("claude-opus-4-7", 1)])
def test_claude_counts_equal_the_counting_endpoints(language: str, model: str, column: int) -> None:
    counter = counter_for("anthropic", model)
    assert counter.count(user(DECLARATIONS[language])) + counter.template(False) == RECORDED[language][column]


def test_hello_world_is_ten_tokens_on_claude() -> None:
    for model in ("claude-3-opus", "claude-opus-5"):
        counter = counter_for("anthropic", model)
        assert counter.count(user("hello, world")) + counter.template(False) == 10


@pytest.mark.parametrize(
    ("model", "family"), [("claude-3-opus", "3.0"), ("claude-opus-4-7", "4.7"), ("claude-opus-5", "4.8")]
)
@given(text=texts)
def test_one_user_message_is_counted_like_ctok_does(model: str, family: str, text: str) -> None:
    counter = counter_for("anthropic", model)
    assert counter.count(user(text)) + counter.template(False) == ctok.token_count(utf8_safe(text), family)


@pytest.mark.parametrize(("model", "frame"), [("claude-3-opus", 3), ("claude-opus-4-7", 7), ("claude-opus-5", 2)])
def test_claude_adds_tokens_to_every_message_but_the_system_message(model: str, frame: int) -> None:
    counter = counter_for("anthropic", model)
    content = content_tokens(counter.name, "Be brief.")
    assert counter.count(system("Be brief.")) == content
    assert counter.count(assistant("Be brief.")) == content + frame


@each_counter
@given(history=histories(), has_system=st.booleans())
def test_a_request_is_the_sum_of_its_messages(counter: TokenCounter, history: list[Message], has_system: bool) -> None:
    each = [counter.count(message) for message in history]
    assert counter.count_many(history) == each
    assert all(isinstance(tokens, int) and tokens >= 0 for tokens in each)
    assert TokenLedger(counter).sync(history).sums[-1] == sum(each)
    assert counter.template(has_system) >= 0


@each_counter
def test_a_tool_call_without_content_is_counted(counter: TokenCounter) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    message = Message("assistant", None, {"tool_calls": [call]})
    two_calls = Message("assistant", None, {"tool_calls": [call, call]})
    empty = counter.count(Message("assistant", None))
    assert counter.count(message) > empty + 8
    assert counter.count(two_calls) - counter.count(message) == counter.count(message) - empty
    part = {"type": "tool_use", "id": "1", "name": "get_weather", "input": {"city": "Paris"}}
    assert counter.count(Message("assistant", [part])) > empty + 8


@each_counter
def test_text_parts_count_as_text_and_an_unreadable_image_as_a_fixed_number(counter: TokenCounter) -> None:
    text = {"type": "text", "text": "hello world"}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    assert counter.count(Message("user", [text])) == counter.count(user("hello world"))
    assert counter.count(Message("user", [text, image])) == counter.count(user("hello world")) + NON_TEXT_PART
    result = {"type": "tool_result", "tool_use_id": "1", "content": [text]}
    assert counter.count(Message("user", [result])) == counter.count(user("hello world"))
    image_result = Message("user", [{**result, "content": [image]}])
    assert counter.count(image_result) == counter.count(Message("user")) + NON_TEXT_PART


@each_counter
@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "text", "content", "tool_use"]), inner, max_size=3)
        ),
    )
)
def test_no_stored_content_raises(counter: TokenCounter, content: Any) -> None:
    extra = {"tool_calls": content, "function_call": content, "name": content}
    assert counter.count(Message("user", content, extra)) >= 0


def test_without_ctok_claude_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude, "installed", lambda: False)
    counter = counter_for.__wrapped__("anthropic", "claude-opus-5")
    assert (counter.name, counter.provenance) == ("o200k_base × 1.35", "estimated")
    assert counter.count(user("hello world")) == 2 + 3  # 2 tokens x 1.35, rounded up
    assert isinstance(counter, ClaudeCounter)
    assert counter.tokenizer == "o200k_base"


class RecordingTokenizer:
    """Counts one token for each character and records every text."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> int:
        self.texts.append(text)
        return len(text)


def test_each_text_is_tokenized_once() -> None:
    tokenizer = RecordingTokenizer()
    counts = CountCache(tokenizer)
    texts = [f"{'long ' * (n % 2) * 30}message {n}" for n in range(1000)]
    equal_texts = [str(bytes(text, "ascii"), "ascii") for text in texts]
    for text in [*texts, *equal_texts, "x" * 65, "x" * 64]:
        assert counts(text) == len(text)
    assert len(tokenizer.texts) == 1002


def test_all_counters_of_a_vocabulary_share_their_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = RecordingTokenizer()
    monkeypatch.setattr(cache, "content_tokens", lambda name, text: tokenizer(text))
    shared_cache.cache_clear()
    history = [user(f"message {n}") for n in range(10_000)]
    counter_for("openai", "gpt-4o").count_many(history)
    counter_for("openai", "gpt-5").count_many([*history, user("one more")])
    assert len(tokenizer.texts) == 10_000 + 1 + 1  # the role is a text, too
    shared_cache.cache_clear()


def test_the_cache_is_bounded_and_keeps_texts_that_are_used_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "GENERATION_SIZE", 100)
    tokenizer = RecordingTokenizer()
    counts = CountCache(tokenizer)
    for n in range(1000):
        counts(f"{n}" * 50)
        counts("often")
    assert len(counts) <= 200
    assert tokenizer.texts.count("often") == 1


def test_the_cache_does_not_hold_long_texts() -> None:
    counts, text = CountCache(len), "long " * 1000
    before = sys.getrefcount(text)
    counts(text)
    assert sys.getrefcount(text) == before


def test_threads_get_the_same_counts() -> None:
    history = [user(f"message {n} " * 20) for n in range(300)]
    counter = OpenAICounter("o200k_base", "counted", "o200k_base", per_message=3, opening=3)
    found: list[list[int]] = []
    threads = [threading.Thread(target=lambda: found.append(counter.count_many(history))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 4
