"""What a cache could reuse is never more than the requests share, and the cause is what really changed first."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.prompt_cache.reading import CacheReading, read_cache
from lib.analysis.replay import replay
from lib.analysis.requests import MessageSizes, PlainRun, RequestRecord, records_of
from lib.context import STRATEGIES
from lib.context.candidates import Summary
from lib.messages import Message, assistant, user
from lib.pricing.model import FREE, Model
from lib.recorded_requests import RecordedRequest
from lib.turns import Turn
from tests.support.cases.conversations import histories
from tests.support.cases.planned_conversations import SETTINGS, talk
from tests.support.counters import WordCounter

WORDS = WordCounter()
HISTORY = [user("one two"), assistant("three"), user("four"), assistant("five six"), user("seven"), assistant("eight")]
SIZES = MessageSizes(WORDS, HISTORY)
LOCAL = Model("m", "local", "m", None, None, FREE, "test")
CLAUDE = Model("claude-sonnet-5", "anthropic", "Claude", None, None, None, "test")


def request(
    at: int,
    *sent: tuple[int, int],
    prompt: str | None = "Be brief.",
    recorded: RecordedRequest | None = None,
    **turn: Any,
) -> RequestRecord:
    """A request with these ranges of stored messages; all up to the newest by default."""
    runs: list[PlainRun] = []
    for start, stop in sent or ((0, at + 1),):
        done = runs[-1][1] if runs else 0
        if start > done:
            runs.append((done, start, False, "over_budget"))
        runs.append((start, stop, True, "fits"))
    values: dict[str, Any] = {
        "provider": "anthropic",
        "model": "m",
        "system_prompt": "Be brief.",
        "started_at": 1000.0,
    } | turn
    made = Turn("1", "", "", "complete", recorded=recorded, **values)
    return RequestRecord(at, range(at + 1, at + 2), tuple(runs), prompt, made)


def read(before: RequestRecord | None, now: RequestRecord, model: Model | None = LOCAL) -> CacheReading:
    return read_cache(before, now, SIZES, model)


def tokens(*indexes: int, system: int = 5) -> int:
    """The system prompt (3 + 2 words) and these messages."""
    return system + sum(WORDS.count(HISTORY[at]) for at in indexes)


def common(one: list[Message], other: list[Message]) -> list[Message]:
    return [a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))]


@given(
    histories(), st.integers(20, 300), st.sampled_from(sorted(STRATEGIES)), st.booleans(), st.sampled_from([0, 30, 99])
)
def test_it_never_promises_more_than_the_two_requests_share(
    history: list[Message], window: int, strategy: str, instructed: bool, changed_at: int
) -> None:
    sizes = MessageSizes(WORDS, history)
    settings = replace(SETTINGS, strategy=strategy, max_tokens=window, system_prompt="Be brief." if instructed else "")
    records = replay(history, sizes, settings)
    for before, now in itertools.pairwise(records):
        if now.at == changed_at:
            now = replace(now, system_prompt="Another one.")
        was, new = sizes.messages(before), sizes.messages(now)
        reply = history[before.at + 1 : sizes.answered(before)]
        shared = common(was, new)
        if len(shared) == len(was):
            shared = common([*was, *reply], new)
        opening = 0 if was[0].is_system or new[0].is_system or not shared else sizes.opening(before)
        told = read_cache(before, now, sizes, LOCAL)
        assert told.reusable <= sum(map(WORDS.count, shared)) + opening
        assert told.reusable == told.shared + told.own_reply
        if told.cause in ("dropped", "inserted"):
            assert told.at is not None
            in_both = [any(a <= told.at < b and sent for a, b, sent, _ in each.runs) for each in (before, now)]
            assert in_both == ([True, False] if told.cause == "dropped" else [False, True])
        elif told.cause == "nothing":
            assert new[: len(was)] == was


def test_messages_that_were_only_added_leave_all_of_the_request_before_to_reuse() -> None:
    told = read(request(0), request(2))
    assert (told.cause, told.at, told.shared) == ("nothing", None, tokens(0))
    assert told.own_reply == WORDS.count(HISTORY[1])
    assert told.reusable == tokens(0, 1)


@pytest.mark.parametrize(
    ("now", "cause", "at", "shared"),
    [
        (request(4, (2, 5)), "dropped", 0, 5),
        (request(4, (0, 2), (4, 5)), "dropped", 2, tokens(0, 1)),
        (request(4, prompt="Be long."), "system", None, 0),
        (request(4, prompt=None), "system", None, 0),
        (request(4, model="other", request={"model": "other"}), "model", None, 0),
        (request(4, provider="openai"), "provider", None, 0),
        (request(4, request={"tools": [{"name": "f"}]}), "tools", None, 0),
    ],
)
def test_the_first_change_is_the_cause(now: RequestRecord, cause: str, at: int | None, shared: int) -> None:
    told = read(request(2), now)
    assert (told.cause, told.at, told.shared, told.own_reply) == (cause, at, shared, 0)


def test_a_message_that_is_sent_again_is_inserted() -> None:
    told = read(request(2, (2, 3)), request(4))
    assert (told.cause, told.at, told.shared) == ("inserted", 0, 5)


def test_a_dated_name_in_the_reply_is_no_other_model() -> None:
    asked = {"model": "m"}
    told = read(request(2, model="m-2026-01-01", request=asked), request(4, model="m", request=asked))
    assert told.cause == "nothing"


def test_a_message_that_an_app_wrote_differently_ends_what_is_shared() -> None:
    recorded = RecordedRequest("/v1/messages", "", 200, (), 3, 1, changed=(2,))
    told = read(request(2), request(4, recorded=recorded))
    assert (told.cause, told.at, told.reusable) == ("rewritten", 2, tokens(0, 1))
    only_the_reply = replace(recorded, changed=(3,))
    told = read(request(2), request(4, recorded=only_the_reply))
    assert (told.cause, told.shared, told.own_reply) == ("nothing", tokens(0, 1, 2), 0)


def test_another_summary_leaves_the_system_prompt() -> None:
    history, turns, _ = talk(3, SETTINGS)
    before, now = records_of(history, turns)[1:]
    assert now.turn is not None
    assert now.turn.plan is not None
    plan = replace(now.turn.plan, summary=Summary("They talked.", ((0, 2),), "m", 0.0))
    now = replace(now, turn=replace(now.turn, plan=plan))
    told = read_cache(before, now, MessageSizes(WORDS, history), None)
    assert (told.cause, told.reusable) == ("summary", 5)


def test_what_the_server_keeps_is_not_judged() -> None:
    now = replace(request(4), runs=((0, 4, False, "server_kept"), (4, 5, True, "app_sent")))
    assert read(request(2), now) == CacheReading("server_kept")


def test_the_first_request_has_nothing_before_it() -> None:
    assert read(None, request(0)) == CacheReading("first")


def test_a_beginning_shorter_than_the_cache_keeps_cannot_be_reused() -> None:
    told = read(request(2), request(4), CLAUDE)
    assert told.too_short
    assert (told.minimum, told.reusable) == (1024, 0)
    assert told.shared > 0
    assert not read(request(2), request(4), None).too_short


def test_a_long_pause_is_told_where_the_vendor_says_how_long_it_keeps_a_beginning() -> None:
    before, now = request(2, started_at=1000.0, duration_ms=2000.0), request(4, started_at=1400.0)
    assert read(before, now, CLAUDE).idle_seconds == 398.0
    assert read(before, request(4, started_at=1301.9), CLAUDE).idle_seconds is None
    assert read(before, now, LOCAL).idle_seconds is None


def test_fields_on_which_caches_depend_are_named() -> None:
    told = read(request(2, request={"reasoning_effort": "low", "seed": 1}), request(4, request={"seed": 2}))
    assert told.fields == ("reasoning_effort",)
    assert told.cause == "nothing"
