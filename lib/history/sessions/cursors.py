"""Places in a list of sessions, from which the list goes on."""

from __future__ import annotations

import math


def make_cursor(activity: float, session_id: str) -> str:
    """The place of a session in a list: its last activity in seconds since the epoch, and its id."""
    return f"{activity!r}:{session_id}"


def read_cursor(cursor: str | None) -> tuple[float, str]:
    """The place that a list goes on after. Raises ValueError for what is no cursor."""
    if cursor is None:
        return math.inf, ""
    activity, found, session_id = cursor.partition(":")
    if not found:
        raise ValueError(f"not a cursor: {cursor!r}")
    return float(activity), session_id
