"""Settings that are tried on a page, kept in the address so that a copied link shows the same view.

Only plain numbers and the name of a strategy are put there, and what an address holds is checked before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from lib.context import LOW_MARKS, STRATEGIES

Value = str | int | float


def _whole(least: int, most: int) -> Callable[[str], Value | None]:
    """Reads a whole number between these two."""

    def read(text: str) -> Value | None:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most else None

    return read


def _share(text: str) -> Value | None:
    """Reads a share of the budget, as the form offers it."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if LOW_MARKS[0] <= value <= LOW_MARKS[1] else None


def _strategy(text: str) -> Value | None:
    return text if text in STRATEGIES else None


FIELDS: Mapping[str, tuple[str, Callable[[str], Value | None]]] = {
    "strategy": ("strategy", _strategy),
    "max_tokens": ("window", _whole(32, 10_000_000)),
    "reserved_for_reply": ("reserve", _whole(8, 1_000_000)),
    "low_mark": ("trim_to", _share),
    "keep_first": ("keep_first", _whole(0, 50)),
    "last_exchanges": ("last", _whole(1, 500)),
}
"""Fields of ChatSettings: the name in the address, and how its value is read."""


def in_address() -> dict[str, Value]:
    """The settings in the address, by the names of ChatSettings' fields. What cannot be used is passed over."""
    found = {}
    for field, (name, read) in FIELDS.items():
        value = read(st.query_params.get(name, ""))
        if value is not None:
            found[field] = value
    return found


def put_into_address(tried: Mapping[str, object]) -> None:
    """Put these settings into the address, and remove the others from it. For callbacks."""
    for field, (name, _) in FIELDS.items():
        if field in tried:
            st.query_params[name] = str(tried[field])
        else:
            st.query_params.pop(name, None)
