"""Trimming each turn against trimming seldom: computed turn by turn, and timed over a provider that was told what to say."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.replay import continued
from lib.analysis.requests import MessageSizes
from lib.chat_settings import ChatSettings
from lib.errors import ProviderUnavailable, WrongKey
from lib.lab import latency
from lib.lab.bakeoff import Contestant, course
from lib.lab.latency import MeasuredLatency, Waiting, measured, medians, requests
from lib.lab.trim_costs import cuts, trim_costs
from lib.messages import Usage, assistant, user
from lib.pricing import catalogue
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.scripted import Script, ScriptedProvider
from tests.support.conversations import histories
from tests.support.counters import WordCounter

WORDS = WordCounter()
SETTINGS = ChatSettings("openai", "gpt-6-luna", "Be brief.", 400, 40, "none")
TALK = [said for n in range(40) for said in (user(f"question {n} " * 4), assistant("word " * 20))]
SIZES = MessageSizes(WORDS, TALK)
LUNA = catalogue.find("openai", "gpt-6-luna")


def test_trimming_seldom_is_read_anew_several_times_less() -> None:
    made = trim_costs(TALK, SIZES, SETTINGS, catalogue.find("local", "here"))
    assert [side.entry.settings.strategy for side in (made.each_turn, made.seldom)] == ["oldest_first", "low_water"]
    assert made.ratio == made.each_turn.processed / made.seldom.processed > 2
    assert len(cuts(made.each_turn)) > 3 * len(cuts(made.seldom)) > 0
    assert made.real_turns == 40
    assert (made.each_turn.cost, made.cost_ratio) == (Decimal(0), None)  # nothing is paid on this machine


def test_money_is_known_where_a_price_is() -> None:
    dear = trim_costs(TALK, SIZES, replace(SETTINGS, max_tokens=1100), LUNA, to_turn=120)
    assert dear.each_turn.cost is not None
    assert dear.seldom.cost is not None
    assert dear.cost_ratio == float(dear.each_turn.cost / dear.seldom.cost)
    unknown = trim_costs(TALK, SIZES, SETTINGS, None)
    assert (unknown.each_turn.cost, unknown.cost_ratio) == (None, None)


@given(histories(), st.integers(50, 400), st.integers(0, 30))
def test_both_sides_are_the_bake_offs_own_courses(history: list, window: int, to_turn: int) -> None:  # type: ignore[type-arg]
    settings, sizes = replace(SETTINGS, max_tokens=window), MessageSizes(WORDS, history)
    made = trim_costs(history, sizes, settings, LUNA, to_turn)
    going = continued(history, sizes, to_turn) if to_turn > made.real_turns else None
    longer = (going.history, MessageSizes(going.counter, going.history)) if going is not None else (history, sizes)
    for side, name in ((made.each_turn, "oldest_first"), (made.seldom, "low_water")):
        entry = Contestant(name, replace(settings, strategy=name))
        assert side == course(longer[0], entry, longer[1], catalogue.find)
        assert len(side.steps) == (max(made.real_turns, to_turn) if made.real_turns else 0)


def test_nothing_read_has_no_ratio() -> None:
    assert trim_costs([], MessageSizes(WORDS, []), SETTINGS, LUNA, 10).ratio is None


def entries() -> list[Contestant]:
    return [Contestant(name, replace(SETTINGS, strategy=name)) for name in ("oldest_first", "low_water")]


def test_the_requests_of_the_last_turns_are_the_ones_the_chat_would_send() -> None:
    timed = requests(TALK, SIZES, entries(), last=3)
    assert [(one.name, one.turn) for one in timed] == [(e.name, turn) for e in entries() for turn in (38, 39, 40)]
    for one in timed:
        assert one.request.messages[0].content == "Be brief."
        assert one.request.messages[-1] is TALK[2 * (one.turn - 1)]
        assert one.tokens == sum(map(WORDS.count, one.request.messages)) + 5 <= 360
        assert (one.request.model, one.request.max_output_tokens) == ("gpt-6-luna", 16)
    assert requests(TALK, SIZES, [Contestant("all", SETTINGS)], last=3) == []  # which do not fit


def scripted(*scripts: Script) -> ScriptedProvider:
    return ScriptedProvider(*scripts)


def test_each_request_is_timed_and_the_first_of_each_entry_is_cold() -> None:
    provider = scripted(*(Script(["a", "b"], usage=Usage(100, n)) for n in range(6)))
    results = [
        one for one in measured(provider, requests(TALK, SIZES, entries(), last=3)) if isinstance(one, MeasuredLatency)
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


def test_a_failure_is_told_and_one_that_would_come_again_ends_it() -> None:
    provider = scripted(Script(["a"], ProviderUnavailable("Gone.")), Script([], WrongKey("No.")), Script(["never"]))
    results = list(measured(provider, requests(TALK, SIZES, entries(), last=3)))
    assert [one.error["kind"] for one in results if isinstance(one, MeasuredLatency) and one.error] == [
        "ProviderUnavailable",
        "WrongKey",
    ]
    assert len(provider.requests) == len(results) == 2
    assert results[0].first_token_ms is None  # type: ignore[union-attr]


def test_an_unexpected_failure_is_told_too() -> None:
    (only,) = measured(scripted(), requests(TALK, SIZES, entries(), last=1))  # nobody scripted an answer
    assert isinstance(only, MeasuredLatency)
    assert "AssertionError" in (only.error or {})["what"]


def test_not_going_on_lets_go_of_the_request_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "HEARTBEAT_SECONDS", 0.01)
    gate = threading.Semaphore(0)
    provider = scripted(Script(["a", "b", "c"], gate=gate))
    running = measured(provider, requests(TALK, SIZES, entries(), last=3))
    waiting = next(running)
    assert isinstance(waiting, Waiting)
    assert (waiting.name, waiting.turn, waiting.seconds > 0) == ("oldest_first", 38, True)
    running.close()
    gate.release(9)
    for thread in threading.enumerate():
        if thread.name.startswith("measure-"):
            thread.join(10)
    assert (len(provider.requests), provider.closed) == (1, 1)


@pytest.mark.model
def test_a_real_server_reads_less_anew_when_the_beginning_stays(model: LocalModel) -> None:
    settings = replace(SETTINGS, provider="local", model=model.name)
    timed = requests(TALK, SIZES, [Contestant("seldom", replace(settings, strategy="low_water"))], last=3)
    results = [one for one in measured(LocalProvider(model), timed) if isinstance(one, MeasuredLatency)]
    assert [one.error for one in results] == [None] * 3
    assert all(one.first_token_ms for one in results)
    warm = [
        result.usage
        for (before, now), result in zip(pairwise(timed), results[1:], strict=True)
        if before.request.messages[1] is now.request.messages[1]
    ]
    assert warm
    assert all((usage.cached_tokens or 0) > (usage.input_tokens or 0) / 2 for usage in warm)
