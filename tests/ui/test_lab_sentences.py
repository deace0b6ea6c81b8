"""Every sentence of the trim lab that states a number, worked out again by planning each request on its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.analysis.bills import cache_minimum
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.context import NO_MARKS, STRATEGIES
from lib.lab.example import EXAMPLE
from lib.lab.facts import GAP, suggest_facts
from lib.messages import Message, Usage
from lib.planner import plan_next
from lib.pricing import catalogue
from lib.pricing.costs import cost
from lib.tokens import TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.tokens.model_counters import counter_for
from lib.turns import PlanSummary
from lib.ui.components import cliff_canvas
from lib.ui.format import numbers
from lib.ui.shell import services
from lib.ui.trim_lab.contestants import PICKED
from lib.ui.trim_lab.facts import FOLLOWED, TICKED
from tests.support.app.pages import SESSION, page, written_elsewhere
from tests.support.counters import WordCounter

WORDS = WordCounter()
HERE = next(model.name for model in catalogue.catalogue() if model.vendor == "local")
MAP, LOSS, PROBE, COSTS = (
    "What is lost at which budget?",
    "Which strategy loses least?",
    "Does the model still know?",
    "What does trimming cost?",
)
CONVERSATIONS: dict[str, tuple[ChatSettings, Sequence[Message]]] = {
    "local": (ChatSettings("local", HERE, "Be brief.", 420, 60, "low_water"), EXAMPLE),
    "hosted": (ChatSettings("openai", "gpt-5-mini", "Be brief.", 2400, 200, "oldest_first"), EXAMPLE * 4),
    "nothing is dropped": (ChatSettings("local", HERE, "", 4096, 512, "head_and_tail"), EXAMPLE[:8]),
}


def counter_of(settings: ChatSettings, provider: object = None) -> TokenCounter:
    return WORDS if settings.provider == "local" else counter_for(settings.provider, settings.model)


@dataclass(frozen=True)
class Planned:
    """One request by a plan of its own: the messages it holds, by stored index, and its tokens."""

    held: frozenset[int]
    stored: int
    tokens: int
    fits: bool
    included: Sequence[Message]

    @property
    def dropped(self) -> int:
        return self.stored + 1 - len(self.held)


@dataclass(frozen=True)
class Stored:
    """A stored conversation and the chat's settings."""

    settings: ChatSettings
    history: Sequence[Message]

    @property
    def counter(self) -> TokenCounter:
        return counter_of(self.settings)

    def plan(self, stored: int, prompt: str, **changes: Any) -> Planned:
        """The request that asks `prompt` after so many stored messages."""
        settings = replace(self.settings, **changes)
        plan = plan_next(settings, NO_MARKS, self.history[:stored], prompt, TokenLedger(self.counter))
        runs = PlanSummary.of(plan).runs
        held = frozenset(at for start, stop, included, _ in runs if included for at in range(start, stop))
        return Planned(held, stored, plan.input_tokens, plan.fits, plan.included)

    def replay(self, **changes: Any) -> list[Planned]:
        """The request of every turn."""
        return [self.plan(at, self.history[at].text, **changes) for at in range(0, len(self.history), 2)]

    def uncached(self, plans: Sequence[Planned]) -> list[int]:
        """For each request, the tokens that do not repeat the beginning of the one before it."""
        model = catalogue.find(self.settings.provider, self.settings.model)
        assert model is not None
        found, before = [], Planned(frozenset(), 0, 0, True, ())
        for plan in plans:
            shared = 0
            for one, other in zip(before.included, plan.included, strict=False):
                if one is not other and one != other:
                    break
                shared += self.counter.count(one)
            found.append(plan.tokens - (shared if shared >= cache_minimum(model) else 0))
            before = plan
        return found

    @property
    def followed(self) -> list[int]:
        return list(dict.fromkeys(fact.index for fact in suggest_facts(self.history)))[:FOLLOWED]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    given: dict[str, Any] = {}

    def component(data: Mapping[str, Any], key: str) -> None:
        given[key] = data

    monkeypatch.setattr(cliff_canvas, "_COMPONENT", component)
    return given


@pytest.fixture(params=list(CONVERSATIONS))
def stored(request: pytest.FixtureRequest, chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> Stored:
    """OpenAI is OpenAI here, so that it has prices; nothing is sent to it."""
    import streamlit

    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setattr(services, "counter_of", counter_of)
    streamlit.cache_resource.clear()
    settings, history = CONVERSATIONS[request.param]
    written_elsewhere(services.chat(), *history)
    services.chat().store.save_settings(SESSION, settings.to_dict())
    return Stored(settings, history)


def opened(tab: str, **state: object) -> AppTest:
    at = page("pages/trim_lab.py", state={"lab_tab": tab, **state})
    assert not at.exception, at.exception
    return at


def text_of(at: AppTest) -> str:
    return "\n".join(element.value for element in (*at.markdown, *at.caption))


def whole(text: str) -> int:
    return int(text.replace(",", ""))


def test_the_map_says_what_a_plan_at_each_budget_decides(stored: Stored, drawn: dict[str, Any]) -> None:
    said = text_of(opened(MAP))
    size = sum(map(stored.counter.count, stored.history))
    assert f"**{len(stored.history)} messages, {size:,} tokens (counted).**" in said
    rows = drawn[f"cliff:{SESSION}"]["rows"]
    kept: dict[int, frozenset[int]] = {}
    for row in rows:
        budget, sent, total, read = map(
            whole, re.findall(r"^([\d,]+) tokens: ([\d,]+) of ([\d,]+) messages are sent, ([\d,]+)", row["summary"])[0]
        )
        plan = plan_next(
            replace(stored.settings, max_tokens=budget, reserved_for_reply=0),
            NO_MARKS,
            stored.history,
            "",
            TokenLedger(stored.counter),
        )
        runs = PlanSummary.of(plan).runs
        held = {at for start, stop, included, _ in runs if included for at in range(start, stop)}
        kept[budget] = frozenset(held - {len(stored.history)})  # without the new message, which is empty
        assert (sent, total, read) == (len(kept[budget]), len(stored.history), plan.input_tokens)
    first = whole(re.findall(r"The first message is sent from ([\d,]+) tokens on", said)[0])
    assert all((0 in held) == (budget >= first) for budget, held in kept.items() if budget >= first)
    present = stored.settings.window.input_budget
    if f"present budget of {present:,} tokens" in said:
        at_present = kept[max(budget for budget in kept if budget <= present)]
        lost = sum(index not in at_present for index in stored.followed)
        verb = "is" if lost == 1 else "are"
        assert f"{lost} of {len(stored.followed)} followed facts {verb} not sent" in said
    for number, smaller, larger in re.findall(r"message (\d+) is sent at ([\d,]+) tokens, not at ([\d,]+)", said):
        assert int(number) - 1 in kept[whole(smaller)] - kept[whole(larger)]
    reversals = any(kept[one] - kept[two] for one, two in pairwise(sorted(kept)))
    assert ("A larger budget can drop" in said) == reversals
    for budget, number in re.findall(r"Below ([\d,]+) tokens, the message with this fact is not sent. `(\d+) ", said):
        smaller = max(each for each in kept if each < whole(budget))
        assert int(number) - 1 in kept[whole(budget)] - kept[smaller]


def test_who_loses_least_is_what_the_last_requests_hold(stored: Stored) -> None:
    said = text_of(opened(LOSS))
    runs = {STRATEGIES[name].short: stored.replay(strategy=name) for name in PICKED}
    losses = {
        name: (sum(index not in plans[-1].held for index in stored.followed), plans[-1].dropped)
        for name, plans in runs.items()
    }
    least, most, facts = min(losses.values()), max(losses.values()), len(stored.followed)
    turn = len(stored.history) // 2
    if not any(dropped for _, dropped in losses.values()):
        assert "**Nothing is dropped yet" in said
    else:
        best = [name for name, loss in losses.items() if loss == least]
        kept = f"{facts - least[0]} of {numbers.plural(facts, 'followed fact')} and drops {least[1]} message"
        sentence = said.split("**“")[1].split("**")[0]
        assert set(re.findall(r"[“]?([^“”]+)”", sentence.split(" least: ")[0])) - {", ", " and "} >= set(best)
        assert f"at turn {turn} " in sentence
        assert kept in sentence
        assert f"{facts - most[0]} of {facts} and {most[1]} message" in sentence
    reads = {name: sum(stored.uncached(plans)) for name, plans in runs.items()}
    low, high = min(reads.values()), max(reads.values())
    amounts = [whole(each) for each in re.findall(r"([\d,]+) (?:uncached tokens )?with (?:“|each)", said)]
    assert amounts == ([low] if low == high else [low, high])
    for name, plans in runs.items():
        label = next(
            line for line in said.split("\n") if line.startswith("**") and name in line.split("**")[1] and "·" in line
        )
        assert f"· {plans[-1].tokens:,} of {stored.settings.max_tokens:,} tokens" in label
        assert (f"; {plans[-1].dropped} message" in label) == bool(plans[-1].dropped)
        together = [other for other, others in runs.items() if others[-1].held == plans[-1].held]
        assert set(together) == set(re.split(", | and ", label.split("**")[1].removesuffix(" send the same")))


def test_what_trimming_costs_is_the_sum_over_every_request(stored: Stored) -> None:
    said = text_of(opened(COSTS, costs_going=False))
    each_turn, in_batches = (stored.replay(strategy=name) for name in ("oldest_first", "low_water"))
    if not any(plan.dropped for plan in each_turn):
        assert "**Nothing has to be dropped yet,**" in said
        return
    reads = [stored.uncached(plans) for plans in (each_turn, in_batches)]
    breaks = [sum(now.dropped > before.dropped for before, now in pairwise(plans)) for plans in (each_turn, in_batches)]
    times = f"{sum(reads[0]) / sum(reads[1]):.1f}"
    assert f"read {times} times as many uncached tokens: {sum(reads[0]):,} against {sum(reads[1]):,}.**" in said
    assert f"breaks the cache {numbers.plural(breaks[0], 'time')}; batching, {breaks[1]}." in said
    model = catalogue.find(stored.settings.provider, stored.settings.model)
    assert model is not None
    if model.vendor != "local":
        prices = [
            sum(
                price(stored, place, plan, read) for place, (plan, read) in enumerate(zip(plans, uncached, strict=True))
            )
            for plans, uncached in zip((each_turn, in_batches), reads, strict=True)
        ]
        assert f"On {model.name}: {numbers.money(prices[0])} against {numbers.money(prices[1])}." in said


def price(stored: Stored, place: int, plan: Planned, uncached: int) -> Any:
    model = catalogue.find(stored.settings.provider, stored.settings.model)
    assert model is not None
    written = uncached if plan.tokens >= cache_minimum(model) else 0
    reply = stored.counter.count(stored.history[2 * place + 1])
    found = cost(model, Usage(plan.tokens, plan.tokens - uncached, written, reply))
    assert found is not None
    return found.total


def test_the_probes_estimate_is_the_sum_of_its_requests(stored: Stored) -> None:
    said = text_of(opened(PROBE))
    questions = sorted(suggest_facts(stored.history), key=lambda fact: GAP in fact.question)[:TICKED]
    tokens, fitting, unfit = 0, 0, 0
    for fact in questions:
        plans = [stored.plan(len(stored.history), fact.question, strategy=name) for name in PICKED]
        plans.append(stored.plan(len(stored.history), fact.question, strategy="none", max_tokens=window_of(stored)))
        plans.append(replace(stored, history=[]).plan(0, fact.question, strategy="none", max_tokens=window_of(stored)))
        tokens += sum(plan.tokens for plan in plans if plan.fits)
        fitting += sum(plan.fits for plan in plans)
        unfit += sum(not plan.fits for plan in plans)
    assert f"**{fitting} requests, {tokens:,} tokens (counted), " in said
    assert (f"{unfit} more would not fit" in said) == bool(unfit)


def window_of(stored: Stored) -> int:
    if stored.settings.provider == "local":
        from lib.providers.llama.process import SLOT_TOKENS

        return SLOT_TOKENS
    model = catalogue.find(stored.settings.provider, stored.settings.model)
    assert model is not None
    assert model.context_window is not None
    return model.context_window


FRAME = r"^\*\*.+\*\* · .+ · window [\d,]+ tokens| expires in | does not expire"
"""The line at the top of every page and the list of chats; tests/ui/test_frame.py is about them."""
KNOWN = (
    r"^\*\*[\d,]+ messages, ",
    r"The first message is sent from",
    r"^A larger budget can drop",
    r"Below [\d,]+ tokens, the message with this fact",
    r"^\*\*(All of them lose|Nothing is dropped yet|“[^*]+ least: )",
    r" · [\d,]+ of [\d,]+ tokens",
    r"^\*\*\d+ requests, ",
    r"times as many uncached tokens: |^\*\*Nothing has to be dropped",
)
EXPLAINED = (
    FRAME,
    r"o200k_base",
    r"70 % of the budget by default",
    r"Window [\d,]+, reserved",
    r"Sends the last requests of",
)
"""Sentences that explain a setting, or what a button would send, which a test of its own covers."""


@pytest.mark.parametrize("tab", [MAP, LOSS, PROBE, COSTS])
def test_no_sentence_with_a_number_is_left_out_of_these_tests(stored: Stored, drawn: dict[str, Any], tab: str) -> None:
    at = opened(tab)
    for sentence in (element.value for element in (*at.markdown, *at.caption)):
        if re.search(r"\d", sentence):
            assert any(re.search(pattern, sentence) for pattern in (*KNOWN, *EXPLAINED)), sentence
