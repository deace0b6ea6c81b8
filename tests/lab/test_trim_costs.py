"""Trimming at every turn compared with trimming in batches, computed turn by turn and timed on a scripted provider."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.replay import project
from lib.analysis.requests import MessageSizes
from lib.chat_settings import ChatSettings
from lib.errors import ProviderUnavailable, WrongKey
from lib.lab import latency
from lib.lab.bakeoff import Contestant, replay_one, run_of
from lib.lab.latency import MeasuredLatency, Waiting, measure, medians, requests
from lib.lab.trim_costs import cache_breaks, trim_costs
from lib.messages import Usage, assistant, user
from lib.pricing import catalogue
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.scripted import Script, ScriptedProvider
from tests.support.cases.conversations import histories
from tests.support.counters import WordCounter

WORDS = WordCounter()
SETTINGS = ChatSettings("openai", "gpt-6-luna", "Be brief.", 400, 40, "none")
TALK = [said for n in range(40) for said in (user(f"question {n} " * 4), assistant("word " * 20))]
SIZES = MessageSizes(WORDS, TALK)
LUNA = catalogue.find("openai", "gpt-6-luna")


def test_trimming_in_batches_reads_several_times_fewer_uncached_tokens() -> None:
    compared = trim_costs(TALK, SIZES, SETTINGS, catalogue.find("local", "here"))
    assert [side.entry.settings.strategy for side in (compared.each_turn, compared.in_batches)] == [
        "oldest_first",
        "low_water",
    ]
    assert compared.ratio == compared.each_turn.processed / compared.in_batches.processed > 2
    assert len(cache_breaks(compared.each_turn)) > 3 * len(cache_breaks(compared.in_batches)) > 0
    assert compared.real_turns == 40
    assert compared.each_turn.cost == Decimal(0)  # nothing is paid on this machine


def test_costs_are_known_if_the_price_is() -> None:
    priced = trim_costs(TALK, SIZES, replace(SETTINGS, max_tokens=1100), LUNA, to_turn=120)
    assert priced.each_turn.cost is not None
    assert priced.in_batches.cost is not None
    assert 0 < priced.in_batches.cost < priced.each_turn.cost
    unpriced = trim_costs(TALK, SIZES, SETTINGS, None)
    assert (unpriced.each_turn.cost, unpriced.in_batches.cost) == (None, None)


@given(histories(), st.integers(50, 400), st.integers(0, 30))
def test_both_sides_are_the_bake_offs_own_runs(history: list, window: int, to_turn: int) -> None:
    settings, sizes = replace(SETTINGS, max_tokens=window), MessageSizes(WORDS, history)
    compared = trim_costs(history, sizes, settings, LUNA, to_turn)
    if to_turn > compared.real_turns:
        projection = project(history, sizes, to_turn)
        history, sizes = list(projection.history), MessageSizes(projection.counter, projection.history)
    for side, name in ((compared.each_turn, "oldest_first"), (compared.in_batches, "low_water")):
        contestant = Contestant(name, replace(settings, strategy=name))
        assert side == run_of(replay_one(history, contestant, sizes), LUNA)
        assert len(side.steps) == (max(compared.real_turns, to_turn) if compared.real_turns else 0)


def test_nothing_read_has_no_ratio() -> None:
    assert trim_costs([], MessageSizes(WORDS, []), SETTINGS, LUNA, 10).ratio is None


def contestants() -> list[Contestant]:
    return [Contestant(name, replace(SETTINGS, strategy=name)) for name in ("oldest_first", "low_water")]


def test_the_requests_of_the_last_turns_are_the_ones_the_chat_would_send() -> None:
    timed = requests(TALK, SIZES, contestants(), last=3)
    assert [(one.name, one.turn) for one in timed] == [
        (each.name, turn) for each in contestants() for turn in (38, 39, 40)
    ]
    for one in timed:
        assert one.request.messages[0].content == "Be brief."
        assert one.request.messages[-1] is TALK[2 * (one.turn - 1)]
        assert one.tokens == sum(map(WORDS.count, one.request.messages)) + 5 <= 360
        assert (one.request.model, one.request.max_output_tokens) == ("gpt-6-luna", 16)
    assert requests(TALK, SIZES, [Contestant("all", SETTINGS)], last=3) == []  # which do not fit


def scripted(*scripts: Script) -> ScriptedProvider:
    return ScriptedProvider(*scripts)


def test_each_request_is_timed_and_the_first_of_each_contestant_is_cold() -> None:
    provider = scripted(*(Script(["a", "b"], usage=Usage(100, n)) for n in range(6)))
    results = [
        one
        for one in measure(provider, requests(TALK, SIZES, contestants(), last=3))
        if isinstance(one, MeasuredLatency)
    ]
    assert [one.cold for one in results] == [True, False, False] * 2
    assert [one.usage.cached_tokens for one in results] == [0, 1, 2, 3, 4, 5]
    for one in results:
        assert one.first_token_ms is not None
        assert one.duration_ms is not None
        assert 0 <= one.first_token_ms <= one.duration_ms
    known = medians(replace(one, first_token_ms=float(n)) for n, one in enumerate(results))
    assert known == {"oldest_first": 1.5, "low_water": 4.5}
    assert medians(results[:1]) == {"oldest_first": None}


def test_a_failure_is_yielded_and_one_that_would_come_again_ends_the_measuring() -> None:
    provider = scripted(Script(["a"], ProviderUnavailable("Gone.")), Script([], WrongKey("No.")), Script(["never"]))
    results = list(measure(provider, requests(TALK, SIZES, contestants(), last=3)))
    assert [one.error["kind"] for one in results if isinstance(one, MeasuredLatency) and one.error] == [
        "ProviderUnavailable",
        "WrongKey",
    ]
    assert len(provider.requests) == len(results) == 2
    assert results[0].first_token_ms is None  # type: ignore[union-attr]  # the first result is there


def test_an_unexpected_failure_is_yielded_too() -> None:
    (only,) = measure(scripted(), requests(TALK, SIZES, contestants(), last=1))  # nobody scripted an answer
    assert isinstance(only, MeasuredLatency)
    assert "AssertionError" in (only.error or {})["what"]


def test_closing_the_generator_lets_go_of_the_running_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "HEARTBEAT_SECONDS", 0.01)
    gate = threading.Semaphore(0)
    provider = scripted(Script(["a", "b", "c"], gate=gate))
    events = measure(provider, requests(TALK, SIZES, contestants(), last=3))
    waiting = next(events)
    assert isinstance(waiting, Waiting)
    assert (waiting.name, waiting.turn, waiting.seconds > 0) == ("oldest_first", 38, True)
    events.close()
    gate.release(9)
    for thread in threading.enumerate():
        if thread.name.startswith("measure-"):
            thread.join(10)
    assert (len(provider.requests), provider.closed) == (1, 1)


@pytest.mark.model
def test_a_real_server_caches_a_prefix_that_stays(model: LocalModel) -> None:
    settings = replace(SETTINGS, provider="local", model=model.name)
    timed = requests(TALK, SIZES, [Contestant("in batches", replace(settings, strategy="low_water"))], last=2)
    results = [one for one in measure(LocalProvider(model), timed) if isinstance(one, MeasuredLatency)]
    assert [one.error for one in results] == [None] * 2
    assert all(one.first_token_ms for one in results)
    warm = [
        result.usage
        for (before, now), result in zip(pairwise(timed), results[1:], strict=True)
        if before.request.messages[1] is now.request.messages[1]
    ]
    assert warm
    assert all((usage.cached_tokens or 0) > (usage.input_tokens or 0) / 2 for usage in warm)
