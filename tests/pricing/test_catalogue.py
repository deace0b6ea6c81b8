"""The catalogue: published windows and prices, overrides that win, names as they are used, and a file that says what is wrong."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InvalidSettings
from lib.pricing import catalogue
from lib.pricing.catalogue import Model, find, read_overrides

PUBLISHED = [
    # name, vendor, window, longest reply, input, cached, written, output, tier from, input above
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
    name, vendor, window, longest, *prices, tier, above = row
    model = find(str(vendor), str(name))
    assert model is not None
    assert (model.context_window, model.max_output) == (window, longest)
    rates = model.rates
    assert rates is not None
    assert [tiers[0][1] for tiers in (rates.input, rates.cached_input, rates.cache_write, rates.output)] == [
        Decimal(str(price)) for price in prices
    ]
    assert rates.tiered_from == tier
    if above is not None:
        assert rates.input[1] == (tier, Decimal(str(above)))


@pytest.mark.parametrize(
    ("name", "limit"),
    [("gpt-5", 272_000), ("gpt-6-luna", 922_000), ("gpt-4o", 128_000), ("o3", 200_000), ("gpt-4.1", 1_047_576)],
)
def test_since_gpt_5_the_longest_reply_is_set_apart_from_the_window(name: str, limit: int) -> None:
    model = find("openai", name)
    assert model is not None
    assert model.input_limit == limit


@pytest.mark.parametrize(
    ("vendor", "name", "known"),
    [
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("openai", "openai/gpt-6-luna", "gpt-6-luna"),
        ("openai", "gpt-6.2-sol-2026-11-17", "gpt-6.2-sol"),
        ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
    ],
)
def test_dated_snapshots_and_prefixes_are_the_model_they_are(vendor: str, name: str, known: str) -> None:
    one, other = find(vendor, name), find(vendor, known)
    assert one is not None
    assert other is not None
    assert (one.rates, one.context_window) == (other.rates, other.context_window)


@given(st.text(max_size=30), st.sampled_from(["openai", "anthropic", "local", "nobody"]))
def test_an_unknown_name_is_none_and_never_raises(name: str, vendor: str) -> None:
    found = find(vendor, f"no-such-{name}")
    assert found is None or vendor == "local"


def test_what_runs_on_this_machine_costs_nothing_whatever_it_is_called() -> None:
    model = find("local", "my-own.gguf")
    assert model is not None
    assert model.rates == catalogue.FREE


def test_the_catalogue_holds_what_a_person_could_choose_newest_first() -> None:
    names = [model.name for model in catalogue.catalogue()]
    assert names.index("gpt-6.2-sol") < names.index("gpt-6-luna") < names.index("gpt-5") < names.index("gpt-4o")
    assert names[-1] == "SmolLM2-135M-Instruct"
    assert not any(
        word in name for name in names for word in ("image", "audio", "realtime", "tts", "embedding", "search")
    )
    assert all(model.rates is not None and model.context_window for model in catalogue.catalogue())


def test_prices_say_where_they_come_from() -> None:
    note = catalogue.prices_note()
    assert note.startswith("prices: genai-prices 0.2.")
    assert "lib/pricing/models.toml, 2026-" in note


def test_an_override_wins_over_the_package(tmp_path: Path) -> None:
    read = read_overrides(written(tmp_path, '[[model]]\nname = "gpt-4o"\nvendor = "openai"\ninput = 1\noutput = 2.5\n'))
    model = read.models["openai", "gpt-4o"]
    assert model.rates is not None
    assert model.rates.cached_input == ((0, Decimal(1)),)
    assert model.rates.output == ((0, Decimal("2.5")),)
    assert read.updated == date(2026, 1, 1)


def test_an_override_without_a_price_has_none(tmp_path: Path) -> None:
    read = read_overrides(written(tmp_path, '[[model]]\nname = "x"\nvendor = "openai"\n'))
    assert read.models["openai", "x"] == Model("x", "openai", "x", None, None, None, "lib/pricing/models.toml")


def written(folder: Path, text: str, updated: str = "updated = 2026-01-01\n") -> Path:
    path = folder / "catalogue.toml"
    path.write_text(updated + text)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not toml", "cannot be read as TOML"),
        ("prizes = 1\n", "'prizes' is not known"),
        ('[model]\nname = "x"\n', "two brackets"),
        ('[[model]]\nname = "x"\n', "number 1 needs a name, and a vendor"),
        ('[[model]]\nname = "x"\nvendor = "acme"\n', "one of openai, anthropic, local"),
        ('[[model]]\nname = "x"\nvendor = "openai"\ninput = "2"\n', "USD per million tokens are expected"),
        ('[[model]]\nname = "x"\nvendor = "openai"\nmax_output = 1.5\n', "a whole number of tokens above 0"),
        ('[limits]\n"gpt-6" = { max_tokens = 5 }\n', "'max_tokens' is not known"),
        ('[limits]\n"gpt-6" = 5\n', "must be a table"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_what_is_expected(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        read_overrides(written(tmp_path, text))


def test_a_file_without_a_date_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="must be a date"):
        read_overrides(written(tmp_path, "", updated=""))
