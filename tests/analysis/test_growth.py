"""Growth per strategy ends at the window, and money is the same usage priced."""

from __future__ import annotations

from dataclasses import replace

from lib.analysis.bills import cache_minimum, counted_usages, total_price
from lib.analysis.growth import growth
from lib.analysis.replay import replay
from lib.analysis.requests import MessageSizes
from lib.context import STRATEGIES
from lib.pricing import catalogue
from tests.support.cases.planned_conversations import SETTINGS, talk
from tests.support.counters import WordCounter


def test_growth_is_the_usage_of_the_replayed_requests_that_fit() -> None:
    history, _, _ = talk(30, SETTINGS)
    sizes = MessageSizes(WordCounter(), history)
    model = catalogue.find("openai", "gpt-6-luna")
    assert model is not None
    tokens = growth(history, sizes, SETTINGS, model, money=False)
    money = growth(history, sizes, SETTINGS, model, money=True)
    assert set(tokens) == set(money) == set(STRATEGIES)
    for strategy in STRATEGIES.values():
        requests = replay(history, sizes, replace(SETTINGS, strategy=strategy.name))
        fitting = tokens[strategy.name]
        assert fitting == [sizes.parts(request).sent for request in requests[: len(fitting)]]
        assert all(size <= SETTINGS.window.input_budget for size in fitting)
        usages = counted_usages(requests[: len(fitting)], sizes, cache_minimum(model))
        price = total_price(model, usages)
        assert price is not None
        assert round(sum(money[strategy.name]), 9) == round(float(price), 9)
    everything = tokens["none"]
    assert 0 < len(everything) < len(tokens["oldest_first"]) == 30
