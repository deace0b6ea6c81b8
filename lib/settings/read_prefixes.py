"""Reads WINDOWSEAT_READ_PREFIXES: under which keys other services keep JSON arrays of messages."""

from __future__ import annotations

from lib.errors import InvalidSettings


def read_prefixes(value: str) -> tuple[str, ...]:
    """The prefixes without their colons. The app's own keys begin with chat:, so that one is not for others."""
    prefixes = tuple(dict.fromkeys(part.strip().rstrip(":") for part in value.split(",") if part.strip()))
    if any(prefix in ("", "chat") for prefix in prefixes):
        raise InvalidSettings(
            f"WINDOWSEAT_READ_PREFIXES is {value!r}, but cannot have 'chat' or ':' among its prefixes."
        )
    return prefixes
