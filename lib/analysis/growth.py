"""Computes how tokens or costs grow over the turns of a conversation under each strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from lib.analysis.bills import cache_minimum, counted_usages
from lib.analysis.replay import replay
from lib.analysis.requests import MessageSizes
from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.messages import Message
from lib.pricing.costs import cost
from lib.pricing.model import Model


def growth(
    history: Sequence[Message], sizes: MessageSizes, settings: ChatSettings, model: Model, *, money: bool
) -> Mapping[str, list[float]]:
    """What each turn adds under each strategy, by the strategy's name: USD on this model, or input tokens.

    Costs assume a prompt cache that is warm at every turn. A list ends before the first request that does not fit the
    window.
    """
    growths: dict[str, list[float]] = {}
    budget = settings.window.input_budget
    for name in STRATEGIES:
        records = replay(history, sizes, replace(settings, strategy=name))
        fitting = list(takewhile(lambda record: sizes.parts(record).sent <= budget, records))
        usages = counted_usages(fitting, sizes, cache_minimum(model))
        if money:
            growths[name] = [float(price.total) if (price := cost(model, usage)) else 0.0 for usage in usages]
        else:
            growths[name] = [float(usage.input_tokens or 0) for usage in usages]
    return growths
