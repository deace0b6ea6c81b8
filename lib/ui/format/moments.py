"""Writes a moment as date and time in the reader's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def moment(seconds: float) -> str:
    """Seconds since the epoch as the reader's clock shows them, or in UTC where the browser does not say its zone.

    Example: moment(0) -> "1 Jan 1970, 00:00 UTC"
    """
    zone = _zone()
    try:
        there = datetime.fromtimestamp(seconds, zone)
    except (OverflowError, OSError, ValueError):
        return "at an unknown time"
    return f"{there.day} {there:%b %Y, %H:%M}{' UTC' if zone is UTC else ''}"


def _zone() -> tzinfo:
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
