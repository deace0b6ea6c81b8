"""The sentences about the prompt cache, with their numbers recomputed from the two requests."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.prompt_cache.diagnosis import Diagnosis
from lib.analysis.prompt_cache.reading import CacheReading, Cause, read_cache
from lib.analysis.replay import replay
from lib.analysis.requests import MessageSizes
from lib.context import STRATEGIES
from lib.messages import Message, Usage
from lib.pricing.model import FREE, Model
from lib.ui.context_window.prompt_cache import words
from tests.support.cases.conversations import histories
from tests.support.cases.planned_conversations import SETTINGS
from tests.support.counters import WordCounter

LOCAL = Model("m", "local", "m", None, None, FREE, "test")
APPENDED = CacheReading("nothing", None, 100, 20, 120)


class CostlyOpening(WordCounter):
    """A counter whose template adds a system block where a request has none."""

    def template(self, has_system: bool) -> int:
        return 0 if has_system else 9


def common(one: list[Message], other: list[Message]) -> list[Message]:
    """The beginning that both lists share: the same stored messages, after the same system prompt."""
    pairs = zip(one, other, strict=False)
    return [a for a, b in itertools.takewhile(lambda pair: pair[0] is pair[1] or is_same_system(*pair), pairs)]


def is_same_system(one: Message, other: Message) -> bool:
    return one.is_system and one == other


@given(histories(), st.integers(20, 300), st.sampled_from(sorted(STRATEGIES)), st.booleans())
def test_our_reading_agrees_with_a_comparison_message_by_message(
    history: list[Message], window: int, strategy: str, instructed: bool
) -> None:
    counter = CostlyOpening()
    sizes = MessageSizes(counter, history)
    prompt = "Be brief." if instructed else ""
    records = replay(history, sizes, replace(SETTINGS, strategy=strategy, max_tokens=window, system_prompt=prompt))
    for before, now in itertools.pairwise(records):
        sent = sizes.parts(now).sent
        told = words.our_reading(read_cache(before, now, sizes, LOCAL), before.name, sent, "counted")
        was, new = sizes.messages(before), sizes.messages(now)
        reply = history[before.at + 1 : sizes.answered(before)]
        shared = common(was, new)
        is_whole = len(shared) == len(was)
        with_reply = common([*was, *reply], new) if is_whole else shared
        opening = 0 if was[0].is_system or new[0].is_system or not shared else counter.template(False)
        tokens, all_tokens = (sum(map(counter.count, each)) + opening for each in (shared, with_reply))
        if tokens:
            assert f"the first {tokens:,} of {sent:,} tokens (counted)" in told
        else:
            assert "so a cache could reuse nothing: it matches from the first token on." in told
        assert ("Messages were only added" in told) == is_whole
        assert (f"and the reply after them, {all_tokens - tokens:,} more" in told) == (all_tokens > tokens)


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        (
            CacheReading("dropped", 40, 11, 0, 11),
            "Message 41 is no longer sent, so a cache could reuse only what stands before it: the first 11 of 1,204"
            " tokens (counted).",
        ),
        (
            CacheReading("system"),
            "The system prompt changed, so a cache could reuse nothing: it matches from the first token on.",
        ),
        (CacheReading("model"), "The model changed, so a cache could reuse nothing: each model has its own."),
        (
            replace(APPENDED, reusable=0, minimum=1024),
            "Messages were only added at the end, so a cache could reuse all that turn 7 sent: the first 100 of 1,204"
            " tokens (counted), and the reply after them, 20 more. A cache keeps no beginning shorter than 1,024"
            " tokens here, so it could reuse nothing.",
        ),
        (
            replace(APPENDED, own_reply=0, idle_seconds=720.0, fields=("thinking",)),
            "Messages were only added at the end, so a cache could reuse all that turn 7 sent: the first 100 of 1,204"
            " tokens (counted). Turn 7 ended 12 m 0 s earlier, and a cache is only sure to keep it for 5 minutes."
            " `thinking` changed too, and a cache may depend on it.",
        ),
        (CacheReading("first"), "There is no request before it to compare with."),
    ],
)
def test_our_reading_in_words(reading: CacheReading, told: str) -> None:
    assert words.our_reading(reading, "turn 7", 1204, "counted") == told


@pytest.mark.parametrize(
    ("cached", "reading", "told"),
    [
        (None, APPENDED, "Not reported: the provider did not say how many tokens came from its cache."),
        (0, CacheReading("system"), "0 of 1,204 tokens came from the cache (billed), as our reading says."),
        (95, APPENDED, "95 of 1,204 tokens came from the cache (billed), about all that could be."),
        (0, CacheReading("first"), "0 of 1,204 tokens came from the cache (billed)."),
        (0, CacheReading("server_kept"), "0 of 1,204 tokens came from the cache (billed)."),
    ],
)
def test_what_was_reported_stands_beside_our_reading(cached: int | None, reading: CacheReading, told: str) -> None:
    assert words.reported(Usage(1204, cached, None, 1), "billed", reading) == told


def test_more_and_less_than_our_reading_are_explained() -> None:
    assert ", less than could be." in words.reported(Usage(1204, 8, None, 1), "billed", APPENDED)
    assert "more than the two requests share by our count" in words.reported(Usage(9, 121, None, 1), "billed", APPENDED)
    assert "no record of it" in words.reported(None, "billed", APPENDED)


@pytest.mark.parametrize(
    ("said", "cause", "told"),
    [
        (
            Diagnosis("remembered"),
            "first",
            "It was asked to remember this request, so that it can compare the next one with it.",
        ),
        (
            Diagnosis("missed", "messages_changed", 1180),
            "dropped",
            "“messages&#95;changed”: a message before the newest one differs. About 1,180 tokens missed. That agrees"
            " with our reading.",
        ),
        (Diagnosis("missed", "tools_changed"), "nothing", "“tools&#95;changed”: the tools differ."),
        (Diagnosis("missed", "<b>moon</b>"), "nothing", "“&#60;b&#62;moon&#60;/b&#62;”."),
        (Diagnosis("no difference"), "nothing", "It was asked, and named no difference from the request before."),
        (Diagnosis("pending"), "nothing", "It was still comparing the two requests when it answered."),
    ],
)
def test_the_provider_in_words(said: Diagnosis, cause: Cause, told: str) -> None:
    assert words.provider_says(said, cause) == told
