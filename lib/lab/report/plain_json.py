"""Turns dataclasses into plain JSON values, and back by their types.

Reading what was written gives equal values. A value of another type is refused, and the error names its place. Money is
a string, so that no digit is lost; named tuples are lists; a missing field gets its default. Whether the values fit
together is checked in lib/lab/report/report.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from lib.errors import ImportRefused

WORDS: dict[object, str] = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def plain(value: Any) -> Any:
    """A value as JSON can hold it.

    Example: Contestant("now", settings) -> {"name": "now", "settings": {...}}; Decimal("0.10") -> "0.10"
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    return str(value) if isinstance(value, Decimal) else value


def typed(kind: Any, value: Any, where: str) -> Any:
    """A value of this type from a plain one. Raises ImportRefused, which names the place.

    Example: typed(tuple[int, ...], [1, 2], "budgets") -> (1, 2); with [1, "2"]: "budgets[1] must be a whole number."
    """
    origin = get_origin(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        return _optional(kind, value, where)
    if origin is Literal:
        if not isinstance(value, str) or value not in get_args(kind):
            raise refused(f"{where} must be one of {', '.join(map(str, get_args(kind)))}")
        return value
    if origin is tuple:
        return _tuple(get_args(kind), value, where)
    if origin is not None and issubclass(origin, Mapping):
        named = _instance(value, dict, where, "an object")
        return {name: typed(get_args(kind)[1], part, f"{where}.{name}") for name, part in named.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, tuple):
        return kind(*_tuple(tuple(_hints(kind).values()), value, where))
    return _scalar(kind, value, where)


def refused(what: str) -> ImportRefused:
    """The error for a file that has something wrong in it."""
    return ImportRefused(f"The file cannot be read: {what}.")


def _optional(kind: Any, value: Any, where: str) -> Any:
    """`X | None`, the only union in these dataclasses."""
    (known,) = (part for part in get_args(kind) if part is not NoneType)
    return None if value is None else typed(known, value, where)


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    parts = _instance(value, list, where, "a list")
    if kinds[-1:] == (Ellipsis,):
        return tuple(typed(kinds[0], part, f"{where}[{place}]") for place, part in enumerate(parts))
    if len(parts) != len(kinds):
        raise refused(f"{where} must hold {len(kinds)} values")
    both = zip(kinds, parts, strict=True)
    return tuple(typed(kind, part, f"{where}[{place}]") for place, (kind, part) in enumerate(both))


def _dataclass(kind: Any, value: Any, where: str) -> Any:
    named, hints = _instance(value, dict, where, "an object"), _hints(kind)
    known = {field.name: field for field in fields(kind)}
    for name in named:
        if name not in known:
            raise refused(f"{where} holds {name!r}, which is not known")
    for name, field in known.items():
        if name not in named and field.default is MISSING and field.default_factory is MISSING:
            raise refused(f"{where}.{name} is missing")
    return kind(**{name: typed(hints[name], part, f"{where}.{name}") for name, part in named.items()})


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is Decimal:
        return _money(value, where)
    if kind is float and type(value) is int:
        return float(value) if abs(value) < 2**53 else _refuse(where, "a number")
    return value if type(value) is kind else _refuse(where, WORDS[kind])


def _money(value: Any, where: str) -> Decimal:
    try:
        amount = Decimal(_instance(value, str, where, "an amount as a text"))
    except InvalidOperation as exc:
        raise refused(f"{where} must be an amount as a text") from exc
    return amount if amount.is_finite() else _refuse(where, "an amount as a text")


def _instance(value: Any, kind: type, where: str, words: str) -> Any:
    return value if isinstance(value, kind) else _refuse(where, words)


def _refuse(where: str, words: str) -> Any:
    raise refused(f"{where} must be {words}")


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
