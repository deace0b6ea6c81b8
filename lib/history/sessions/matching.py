"""Decides whether a session belongs to what a person looks for."""

from __future__ import annotations

import json

from lib.history.sessions import SessionQuery, SessionRow

MOST_BYTES = 1_048_576
"""Bytes of a session's messages that are searched. The rest of a longer one is passed over."""


def matches(row: SessionRow, query: SessionQuery, now: float) -> bool:
    """Whether a row passes all filters except the text. `now` is seconds since the epoch."""
    idle = now - row.last_activity
    return (
        (query.owner is None or query.owner == row.owner)  # another person may have begun a session of the same name
        and (not query.model or query.model in {row.model, *(each.model for each in row.usage)})
        and (not query.strategy or query.strategy == row.strategy)
        and (not query.dropped or row.turns_with_dropped > 0)
        and (not query.failed or row.interrupted or row.stopped > 0)
        and (query.newer_than is None or idle <= query.newer_than)
        and (query.older_than is None or idle >= query.older_than)
    )


def needle_of(query: SessionQuery) -> str:
    """The text to look for, without case and outer blanks; empty to look for none."""
    return query.text.strip().casefold()


def holds(value: bytes, needle: str) -> bool:
    """Whether the stored messages hold this text, in any case. The names of JSON fields do not count.

    Example: holds(b'[{"role":"user","content":"Caf\\\\u00e9"}]', "café") -> True
    """
    text = value.decode(errors="replace")
    if "\\" not in text and needle not in text.casefold():
        return False
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):  # cut off, or not JSON: search it as it is
        return needle in text.casefold()
    return any(needle in each.casefold() for each in _texts(parsed))


def _texts(parsed: object) -> list[str]:
    """Every string among the values of a JSON value, without the roles of messages. Does not recurse."""
    found, todo = [], [parsed]
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, list):
            todo += value
        elif isinstance(value, dict):
            todo += [item for name, item in value.items() if name != "role"]
    return found
