"""The list prices of the models that a session used, as a capsule keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lib import outside_values
from lib.pricing.model import Model, Tiers
from lib.turns import Turn

FindModel = Callable[[str, str], Model | None]
"""Finds the catalogue's entry for the (provider, model) names of a turn."""
MOST_PRICES = 1_000


def used(turns: Sequence[Turn], known: Mapping[str, Any], find: FindModel) -> dict[str, Any]:
    """USD per million tokens for each model of the turns, by "provider/model". None where no price is known.

    `known` are the prices that came with the session; they are kept. Prices are strings, so that no digit is lost; each
    rate is a list of (input tokens from which it applies, price).
    """
    names = {(turn.provider, turn.model) for turn in turns if turn.model}
    names |= {(turn.summarized.provider, turn.summarized.model) for turn in turns if turn.summarized is not None}
    found = {f"{provider}/{model}": _price(find(provider, model)) for provider, model in names} | dict(known)
    return dict(sorted(found.items()))


def checked(stored: Any) -> dict[str, Any]:
    """Prices from a file. What is no price is dropped."""
    known = outside_values.mapping(stored) or {}
    named = [(name, value) for name, value in known.items() if value is None or isinstance(value, Mapping)]
    return dict(named[:MOST_PRICES])


def _price(model: Model | None) -> dict[str, Any] | None:
    if model is None or model.rates is None:
        return None
    rates = ("input", "cached_input", "cache_write", "output")
    return {"source": model.source, **{rate: _tiers(getattr(model.rates, rate)) for rate in rates}}


def _tiers(tiers: Tiers) -> list[list[Any]]:
    return [[start, format(price, "f")] for start, price in tiers]
