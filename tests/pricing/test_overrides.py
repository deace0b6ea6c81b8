"""models.toml: its entries become models and limits, and a bad entry is named."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from lib.errors import InvalidSettings
from lib.pricing.model import Model
from lib.pricing.overrides import read_overrides


def write(folder: Path, text: str, updated: str = "updated = 2026-01-01\n") -> Path:
    path = folder / "models.toml"
    path.write_text(updated + text)
    return path


def test_a_missing_cache_price_is_the_input_price(tmp_path: Path) -> None:
    path = write(tmp_path, '[[model]]\nname = "gpt-4o"\nvendor = "openai"\ninput = 1\noutput = 2.5\n')
    overrides = read_overrides(path)
    rates = overrides.models["openai", "gpt-4o"].rates
    assert rates is not None
    assert rates.cached_input == rates.cache_write == ((0, Decimal(1)),)
    assert rates.output == ((0, Decimal("2.5")),)
    assert overrides.updated == date(2026, 1, 1)


def test_a_model_without_prices_has_no_rates(tmp_path: Path) -> None:
    overrides = read_overrides(write(tmp_path, '[[model]]\nname = "x"\nvendor = "openai"\n'))
    assert overrides.models["openai", "x"] == Model("x", "openai", "x", None, None, None, "lib/pricing/models.toml")


def test_the_longest_start_of_a_name_comes_first(tmp_path: Path) -> None:
    path = write(tmp_path, '[limits]\n"gpt-4" = { max_output = 1 }\n"gpt-4-turbo" = { max_output = 2 }\n')
    assert read_overrides(path).limits == [("gpt-4-turbo", {"max_output": 2}), ("gpt-4", {"max_output": 1})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not toml", "cannot be read as TOML"),
        ("prizes = 1\n", "'prizes' is not a known name"),
        ('[model]\nname = "x"\n', "two brackets"),
        ('[[model]]\nname = "x"\n', "number 1 needs a name, and a vendor"),
        ('[[model]]\nname = "x"\nvendor = "acme"\n', "one of openai, anthropic, local"),
        ('[[model]]\nname = "x"\nvendor = "openai"\ninput = "2"\n', "must be USD per million tokens"),
        ('[[model]]\nname = "x"\nvendor = "openai"\nmax_output = 1.5\n', "a whole number of tokens above 0"),
        ('[limits]\n"gpt-6" = { max_tokens = 5 }\n', "'max_tokens' is not a known name"),
        ('[limits]\n"gpt-6" = 5\n', "must be a table"),
        ("limits = 5\n", r"\[limits\] must be a table"),
    ],
)
def test_an_unusable_file_is_refused_with_the_place_and_what_is_expected(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(InvalidSettings, match=message):
        read_overrides(write(tmp_path, text))


def test_a_file_without_a_date_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="must be a date"):
        read_overrides(write(tmp_path, "", updated=""))
