"""The catalogue: published windows and prices, names as requests write them, and an order to choose from."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.pricing.catalogue import catalogue, find, prices_note
from lib.pricing.model import FREE

PUBLISHED = [
    # name, vendor, window, longest reply; USD for input, cached, written, output; second tier: its start, input price
    ("gpt-6.1-sol", "openai", 1_050_000, 128_000, "2", "0.1", "2.5", "10", 272_000, "4"),
    ("gpt-6.1-terra", "openai", 1_050_000, 128_000, "1", "0.05", "1.25", "5", 272_000, "2"),
    ("gpt-6-astra", "openai", 1_050_000, 128_000, "10", "1", "12.5", "50", 272_000, "20"),
    ("gpt-6-luna", "openai", 1_050_000, 128_000, "0.1", "0.01", "0.125", "0.5", 272_000, "0.2"),
    ("gpt-5", "openai", 400_000, 128_000, "1.25", "0.125", "1.25", "10", None, None),
    ("gpt-5.4", "openai", 1_050_000, 128_000, "2.5", "0.25", "2.5", "15", 272_000, "5"),
    ("gpt-4.1", "openai", 1_047_576, 32_768, "2", "0.5", "2", "8", None, None),
    ("gpt-4o", "openai", 128_000, 16_384, "2.5", "1.25", "2.5", "10", None, None),
    ("o3", "openai", 200_000, 100_000, "2", "0.5", "2", "8", None, None),
    ("claude-fable-5-2", "anthropic", 1_000_000, 128_000, "8", "0.2", "10", "40", None, None),
    ("claude-opus-5-5", "anthropic", 1_000_000, 128_000, "4", "0.2", "5", "20", None, None),
    ("claude-haiku-5-5", "anthropic", 1_000_000, 128_000, "0.1", "0.01", "0.125", "0.5", 100_000, "0.5"),
    ("claude-sonnet-4-5", "anthropic", 200_000, 64_000, "3", "0.3", "3.75", "15", 200_000, "6"),
    ("claude-haiku-4-5", "anthropic", 200_000, 64_000, "1", "0.1", "1.25", "5", None, None),
    ("gpt-6.2-astra", "openai", 1_050_000, 128_000, "8", "0.4", "10", "40", None, None),
]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row[0])
def test_windows_and_prices_are_the_published_ones(row: tuple[object, ...]) -> None:
    name, vendor, window, longest, *prices, tier, price_above = row
    model = find(str(vendor), str(name))
    assert model is not None
    assert (model.context_window, model.max_output) == (window, longest)
    rates = model.rates
    assert rates is not None
    base = [tiers[0][1] for tiers in (rates.input, rates.cached_input, rates.cache_write, rates.output)]
    assert base == [Decimal(str(price)) for price in prices]
    assert rates.input[1:] == (() if tier is None else ((tier, Decimal(str(price_above))),))


@pytest.mark.parametrize(
    ("vendor", "name", "known"),
    [
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("openai", "openai/gpt-6-luna", "gpt-6-luna"),
        ("openai", "gpt-6.2-sol-2026-11-17", "gpt-6.2-sol"),
        ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
    ],
)
def test_a_snapshot_or_a_prefixed_name_is_the_same_model(vendor: str, name: str, known: str) -> None:
    one, other = find(vendor, name), find(vendor, known)
    assert one is not None
    assert other is not None
    assert (one.rates, one.context_window) == (other.rates, other.context_window)


@given(st.text(max_size=30), st.sampled_from(["openai", "anthropic", "local", "nobody"]))
def test_an_unknown_name_gives_none(name: str, vendor: str) -> None:
    model = find(vendor, f"no-such-{name}")
    assert model is None or vendor == "local"


def test_any_model_on_this_machine_is_free() -> None:
    model = find("local", "my-own.gguf")
    assert model is not None
    assert model.rates == FREE


def test_the_catalogue_offers_chat_models_newest_first() -> None:
    names = [model.name for model in catalogue()]
    assert names.index("gpt-6.2-sol") < names.index("gpt-6-luna") < names.index("gpt-5") < names.index("gpt-4o")
    assert names[-1] == "SmolLM2-135M-Instruct"
    others = ("image", "audio", "realtime", "tts", "embedding", "search")
    assert not [name for name in names if any(word in name for word in others)]
    assert all(model.rates is not None and model.context_window for model in catalogue())


def test_the_note_on_prices_names_both_sources() -> None:
    note = prices_note()
    assert note.startswith("prices: genai-prices 0.2.")
    assert "own entries of 2026-" in note
