"""Reads models.toml: models, prices and limits that the price package does not know or gets wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from lib.errors import InvalidSettings
from lib.pricing.model import Model, Rates

PATH = Path(__file__).with_name("models.toml")
SHOWN_PATH = "lib/pricing/models.toml"
"""The path in messages and beside prices."""
VENDORS = ("openai", "anthropic", "local")
PRICES = ("input", "cached_input", "cache_write", "output")
"""Keys of a [[model]] table in USD per million tokens, in the order of Rates."""
LIMITS = ("context_window", "max_output")
"""Keys in tokens."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """The contents of models.toml."""

    updated: date
    models: Mapping[tuple[str, str], Model]
    """By (vendor, name)."""
    limits: Sequence[tuple[str, Mapping[str, int]]]
    """(start of a model's name, its limits in tokens), the longest start first."""


def read_overrides(path: Path = PATH) -> Overrides:
    """Read the file. Raises InvalidSettings, which names the bad entry and what is expected there."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise InvalidSettings(f"{SHOWN_PATH} cannot be read as TOML: {exc}") from exc
    _check_keys(values, ("updated", "model", "limits"), SHOWN_PATH)
    if not isinstance(values.get("updated"), date):
        raise InvalidSettings(f"{SHOWN_PATH}: `updated` must be a date such as 2026-11-22.")
    tables = values.get("model", [])
    if not isinstance(tables, list):
        raise InvalidSettings(f"{SHOWN_PATH}: write [[model]], with two brackets, before each model.")
    models = [_model(table, f"{SHOWN_PATH}, [[model]] number {n}") for n, table in enumerate(tables, start=1)]
    limits = values.get("limits", {})
    if not isinstance(limits, dict):
        raise InvalidSettings(f"{SHOWN_PATH}, [limits] must be a table of names and values.")
    for name, table in limits.items():
        _check_table(table, f'{SHOWN_PATH}, [limits] "{name}"', limits=LIMITS)
    return Overrides(
        values["updated"],
        {(model.vendor, model.name): model for model in models},
        sorted(limits.items(), key=lambda item: -len(item[0])),
    )


def _model(table: Any, where: str) -> Model:
    """The model of one [[model]] table. A missing cache price is the input price."""
    _check_table(table, where, limits=LIMITS, prices=PRICES, texts=("name", "vendor", "label"))
    if not isinstance(table.get("name"), str) or table.get("vendor") not in VENDORS:
        raise InvalidSettings(f"{where} needs a name, and a vendor that is one of {', '.join(VENDORS)}.")
    rates = None
    if table.get("input") is not None and table.get("output") is not None:
        rates = Rates(*(((0, Decimal(table.get(name, table["input"]))),) for name in PRICES))
    return Model(
        name=table["name"],
        vendor=table["vendor"],
        label=table.get("label", table["name"]),
        context_window=table.get("context_window"),
        max_output=table.get("max_output"),
        rates=rates,
        source=SHOWN_PATH,
    )


def _check_table(
    table: Any, where: str, *, limits: Sequence[str], prices: Sequence[str] = (), texts: Sequence[str] = ()
) -> None:
    """Raises InvalidSettings unless the table holds nothing but these keys, with usable numbers."""
    if not isinstance(table, dict):
        raise InvalidSettings(f"{where} must be a table of names and values.")
    _check_keys(table, (*limits, *prices, *texts), where)
    for name in limits:
        if name in table and (type(table[name]) is not int or table[name] <= 0):
            raise InvalidSettings(f"{where}: {name} is {table[name]!r}, but must be a whole number of tokens above 0.")
    for name in prices:
        if name in table and (type(table[name]) not in (int, Decimal) or table[name] < 0):
            raise InvalidSettings(f"{where}: {name} is {table[name]!r}, but must be USD per million tokens.")


def _check_keys(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in table:
        if name not in known:
            raise InvalidSettings(f"{where}: {name!r} is not a known name. Use {', '.join(known)}.")
