"""Looks up a model's context window, longest reply and list prices.

The figures come from the package genai-prices, which carries its data with it; lib/pricing/models.toml overrides them.
Nothing is fetched over a network. What neither source knows is None. What a request costs is in lib/pricing/costs.py.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lib.pricing.model import FREE, Model, Rates, Tiers
from lib.pricing.overrides import VENDORS, Overrides, read_overrides

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

PACKAGE = "genai-prices"
CHAT_MODELS = {
    "openai": re.compile(
        r"gpt-(?:[5-9](?:\.\d+)?(?:-(?:mini|nano|pro|sol|terra|luna|astra))?|4o(?:-mini)?|4\.1(?:-mini|-nano)?)"
        r"|o3|o4-mini"
    ),
    "anthropic": re.compile(r"claude-(?:opus|sonnet|haiku|fable)-(?:[5-9](?:-\d+)?|4-[5-9])"),
}
"""Which of a vendor's models the catalogue offers: those a person would choose for a chat today."""
_SNAPSHOT = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$")


def find(vendor: str, name: str, at: float | None = None) -> Model | None:
    """The model with this name, as requests and replies write it ("openai/gpt-4o", "gpt-4o-2024-08-06").

    None if neither source knows it. `at` (seconds since the epoch) selects the prices of that time.
    """
    bare = name.rpartition("/")[2]
    overrides = _overrides().models
    for known in (bare, _SNAPSHOT.sub("", bare)):
        if (vendor, known) in overrides:
            return overrides[vendor, known]
    if vendor == "local":
        return Model(bare, vendor, f"{bare}, this machine", None, None, FREE, "runs on this machine")
    if vendor not in CHAT_MODELS:
        return None
    return _from_package(vendor, bare, None if at is None else datetime.fromtimestamp(at, UTC).date())


@cache
def catalogue() -> tuple[Model, ...]:
    """The models to offer: OpenAI's, Anthropic's, then the one on this machine, each vendor's newest first."""
    names = {
        (vendor, info.id)
        for vendor, pattern in CHAT_MODELS.items()
        for info in _package_models(vendor)
        if pattern.fullmatch(info.id)
    }
    names |= set(_overrides().models)
    models = [model for vendor, name in names if (model := find(vendor, name)) is not None]
    return tuple(sorted(models, key=lambda model: (VENDORS.index(model.vendor), _newest_first(model.name))))


def prices_note() -> str:
    """Where prices come from, for people.

    Example: "prices: genai-prices 0.2.3, newest entry 2026-11-09; own entries of 2026-11-22"
    """
    package = f"{PACKAGE} {version(PACKAGE)}, newest entry {_newest_entry()}"
    return f"prices: {package}; own entries of {_overrides().updated}"


def _newest_first(name: str) -> tuple[list[float], str]:
    """Sort key: gpt-6.2-sol, gpt-6-sol, gpt-5.6-sol, gpt-4o, then o3."""
    numbers = [-float(number) for number in re.findall(r"\d+(?:\.\d+)?", name)]
    return [*numbers, 0.0, 0.0][:2] if not name.startswith("o") else [0.0, *numbers][:2], name


@cache
def _overrides() -> Overrides:
    return read_overrides()


@cache
def _package_models(vendor: str) -> tuple[ModelInfo, ...]:
    from genai_prices import data_snapshot

    providers = data_snapshot.get_snapshot().providers
    return tuple(info for provider in providers if provider.id == vendor for info in provider.models)


@cache
def _from_package(vendor: str, name: str, day: date | None) -> Model | None:
    """The package's entry with the limits of models.toml, at the prices of that day (today if None)."""
    info = next((info for info in _package_models(vendor) if info.is_match(name.lower())), None)
    if info is None:
        return None
    when = datetime.now(UTC) if day is None else datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    limits = next((limits for start, limits in _overrides().limits if name.startswith(start)), {})
    return Model(
        name=info.id if _SNAPSHOT.search(name) is None else name,
        vendor=vendor,
        label=info.name or info.id,
        context_window=limits.get("context_window", info.context_window),
        max_output=limits.get("max_output"),
        rates=_rates(info.get_prices(when)),
        source=f"{PACKAGE} {version(PACKAGE)}",
    )


def _rates(price: ModelPrice) -> Rates | None:
    read, write = _tiers(price.input_mtok), _tiers(price.output_mtok)
    if read is None or write is None:
        return None
    return Rates(
        input=read,
        cached_input=_tiers(price.cache_read_mtok) or read,
        cache_write=_tiers(price.cache_write_mtok) or read,
        output=write,
    )


def _tiers(price: Any) -> Tiers | None:
    """One of the package's prices: None, a Decimal, or an object with a base price and tiers."""
    if price is None:
        return None
    if hasattr(price, "tiers"):
        return ((0, price.base), *((tier.start, tier.price) for tier in price.tiers))
    return ((0, price),)


@cache
def _newest_entry() -> str:
    """The latest day (ISO) that the package's comments on these vendors' prices mention."""
    today = date.today().isoformat()
    days = [
        day
        for vendor in CHAT_MODELS
        for info in _package_models(vendor)
        for day in re.findall(r"\d{4}-\d{2}-\d{2}", info.price_comments or "")
    ]
    return max((day for day in days if day <= today), default="of unknown date")
