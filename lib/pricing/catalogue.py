"""The model catalogue: windows, longest replies and list prices.

The rule: prices and windows come from the package genai-prices, whose data is part of it, and lib/pricing/models.toml wins over it;
nothing is asked over a network, and what neither knows is None. Money is USD per million tokens, sizes are tokens.
It leaves out what a request costs (lib/pricing/costs.py) and who counts for a model (lib/tokens/model_counters.py).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.errors import InvalidSettings

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

OVERRIDES = Path(__file__).with_name("models.toml")
PACKAGE = "genai-prices"
Tiers = tuple[tuple[int, Decimal], ...]
"""(tokens of input from which on, price): the first is 0. Once a request's whole input is larger, all of it costs that."""

_CHOSEN = {
    "openai": re.compile(
        r"gpt-(?:[5-9](?:\.\d+)?(?:-(?:mini|nano|pro|sol|terra|luna|astra))?|4o(?:-mini)?|4\.1(?:-mini|-nano)?)|o3|o4-mini"
    ),
    "anthropic": re.compile(r"claude-(?:opus|sonnet|haiku|fable)-(?:[5-9](?:-\d+)?|4-[5-9])"),
}
"""Models a person would choose for a chat today, by name."""
_SNAPSHOT = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$")


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of one model. A rate the vendor does not have is the input's."""

    input: Tiers
    cached_input: Tiers
    cache_write: Tiers
    output: Tiers

    @property
    def tiered_from(self) -> int | None:
        """Tokens of input above which other prices hold; None where there is one price."""
        starts = [start for tiers in (self.input, self.output) for start, _ in tiers if start]
        return min(starts, default=None)


@dataclass(frozen=True, slots=True)
class Model:
    """One model of one vendor. `context_window` holds input and output together."""

    name: str
    vendor: str
    label: str
    context_window: int | None
    max_output: int | None
    rates: Rates | None
    source: str

    @property
    def input_limit(self) -> int | None:
        """The largest request, in tokens. Since GPT-5, OpenAI sets room for the longest reply apart; others share the window."""
        if self.context_window is None:
            return None
        apart = self.vendor == "openai" and self.context_window > 128_000 and re.match(r"gpt-[5-9]", self.name)
        return self.context_window - (self.max_output or 0) if apart else self.context_window


def find(vendor: str, name: str, at: float | None = None) -> Model | None:
    """The entry for a name as requests and replies use it (a dated snapshot, "openai/gpt-4o"); None where neither source
    knows it. `at` (seconds since the epoch) asks for the prices of that time."""
    bare = name.rpartition("/")[2]
    own = _overrides().models
    for known in (bare, _SNAPSHOT.sub("", bare)):
        if (vendor, known) in own:
            return own[vendor, known]
    if vendor == "local":
        return Model(bare, vendor, f"{bare}, this machine", None, None, FREE, "runs on this machine")
    if vendor not in _CHOSEN:
        return None
    return _packaged(vendor, bare, None if at is None else datetime.fromtimestamp(at, UTC).date())


FREE = Rates(*[((0, Decimal(0)),)] * 4)
"""Nobody is paid for what runs on this machine."""


@cache
def catalogue() -> tuple[Model, ...]:
    """Models a person could choose, each vendor's newest first; the one on this machine last."""
    names = {
        (vendor, info.id)
        for vendor, pattern in _CHOSEN.items()
        for info in _infos(vendor)
        if pattern.fullmatch(info.id)
    }
    names |= set(_overrides().models)
    known = [model for vendor, name in names if (model := find(vendor, name)) is not None]
    return tuple(sorted(known, key=lambda model: ([*_CHOSEN, "local"].index(model.vendor), _newest_first(model.name))))


def prices_note() -> str:
    """Where prices come from. Example: "prices: genai-prices 0.2.3, newest entry 2026-11-09; lib/pricing/models.toml, 2026-11-22"."""
    return (
        f"prices: {PACKAGE} {version(PACKAGE)}, newest entry {_newest_entry()}; lib/pricing/models.toml,"
        f" {_overrides().updated}"
    )


def _newest_first(name: str) -> tuple[list[float], str]:
    """Sorts gpt-6.2-sol before gpt-6-sol before gpt-5.6-sol before gpt-4o."""
    numbers = [-float(number) for number in re.findall(r"\d+(?:\.\d+)?", name)]
    return [*numbers, 0.0, 0.0][:2] if not name.startswith("o") else [0.0, *numbers][:2], name


@cache
def _infos(vendor: str) -> tuple[ModelInfo, ...]:
    from genai_prices import data_snapshot

    return tuple(
        info for provider in data_snapshot.get_snapshot().providers if provider.id == vendor for info in provider.models
    )


@cache
def _packaged(vendor: str, name: str, day: date | None) -> Model | None:
    """The package's entry, with our limits over it."""
    info = next((info for info in _infos(vendor) if info.is_match(name.lower())), None)
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
    read, wrote = _tiers(price.input_mtok), _tiers(price.output_mtok)
    if read is None or wrote is None:
        return None
    return Rates(read, _tiers(price.cache_read_mtok) or read, _tiers(price.cache_write_mtok) or read, wrote)


def _tiers(price: Any) -> Tiers | None:
    if price is None:
        return None
    return (
        ((0, price.base), *((tier.start, tier.price) for tier in price.tiers))
        if hasattr(price, "tiers")
        else ((0, price),)
    )


@cache
def _newest_entry() -> str:
    """The latest day on which an entry of these vendors was checked, by its own words."""
    today = date.today().isoformat()
    days = [
        day
        for vendor in _CHOSEN
        for info in _infos(vendor)
        for day in re.findall(r"\d{4}-\d{2}-\d{2}", info.price_comments or "")
    ]
    return max((day for day in days if day <= today), default="of unknown date")


@dataclass(frozen=True, slots=True)
class Overrides:
    """lib/pricing/models.toml as read. `limits` are sorted so that the longest beginning of a name comes first."""

    updated: date
    models: Mapping[tuple[str, str], Model]
    limits: Sequence[tuple[str, Mapping[str, int]]]


@cache
def _overrides() -> Overrides:
    return read_overrides(OVERRIDES)


PRICES = ("input", "cached_input", "cache_write", "output")
LIMITS = ("context_window", "max_output")


def read_overrides(path: Path) -> Overrides:
    """Read the file. Raises InvalidSettings, naming the place and what is expected there."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise InvalidSettings(f"{path.name} cannot be read as TOML: {exc}") from exc
    _only(values, ("updated", "model", "limits"), path.name)
    if not isinstance(values.get("updated"), date):
        raise InvalidSettings(f"{path.name}: `updated` must be a date such as 2026-11-22.")
    models = [
        _model(entry, f"{path.name}, [[model]] number {place}")
        for place, entry in enumerate(_list(values, path), start=1)
    ]
    limits = values.get("limits", {})
    for name, entry in limits.items() if isinstance(limits, dict) else []:
        _check(entry, LIMITS, (), f'{path.name}, [limits] "{name}"')
    return Overrides(
        values["updated"],
        {(model.vendor, model.name): model for model in models},
        sorted(limits.items(), key=lambda entry: -len(entry[0])),
    )


def _list(values: Mapping[str, Any], path: Path) -> list[Any]:
    found = values.get("model", [])
    if not isinstance(found, list):
        raise InvalidSettings(f"{path.name}: write [[model]], with two brackets, before each model.")
    return found


def _model(entry: Any, where: str) -> Model:
    """One [[model]] table."""
    _check(entry, LIMITS, PRICES, where, ("name", "vendor", "label"))
    if not isinstance(entry.get("name"), str) or entry.get("vendor") not in (*_CHOSEN, "local"):
        raise InvalidSettings(f"{where} needs a name, and a vendor that is one of {', '.join((*_CHOSEN, 'local'))}.")
    rates = None
    if entry.get("input") is not None and entry.get("output") is not None:
        read, cached, written, wrote = (((0, Decimal(entry.get(name, entry["input"]))),) for name in PRICES)
        rates = Rates(read, cached, written, wrote)
    window, longest = (entry.get(name) for name in LIMITS)
    return Model(
        entry["name"],
        entry["vendor"],
        entry.get("label", entry["name"]),
        window,
        longest,
        rates,
        "lib/pricing/models.toml",
    )


def _check(entry: Any, whole: Sequence[str], money: Sequence[str], where: str, texts: Sequence[str] = ()) -> None:
    if not isinstance(entry, dict):
        raise InvalidSettings(f"{where} must be a table of names and values.")
    _only(entry, (*whole, *money, *texts), where)
    for name in whole:
        if name in entry and (type(entry[name]) is not int or entry[name] <= 0):
            raise InvalidSettings(f"{where}: {name} is {entry[name]!r}; a whole number of tokens above 0 is expected.")
    for name in money:
        if name in entry and (type(entry[name]) not in (int, Decimal) or entry[name] < 0):
            raise InvalidSettings(f"{where}: {name} is {entry[name]!r}; USD per million tokens are expected.")


def _only(entry: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in entry:
        if name not in known:
            raise InvalidSettings(f"{where}: {name!r} is not known; it may hold {', '.join(known)}.")
