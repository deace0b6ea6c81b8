"""Takes keys out of what is recorded: those that came in headers, wherever they appear, and those of tool servers.

What is passed on is not changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

GONE = "[key, not stored]"
SHORTEST = 8
"""Characters from which on a header's value counts as a key. Placeholders such as "x" are in every text."""
HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie")
FIELDS = ("authorization", "authorization_token", "api_key", "apikey", "access_token", "password")
"""Fields of a body that hold keys, as those that name a tool server do."""


def secrets_in(headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The keys in these headers, the longest first."""
    values = [value.strip() for name, value in headers if name.lower() in HEADERS]
    bare = [value.partition(" ")[2].strip() for value in values if value.lower().startswith(("bearer ", "basic "))]
    return tuple(sorted({each for each in values + bare if len(each) >= SHORTEST}, key=len, reverse=True))


def without_secrets(value: Any, secrets: Iterable[str]) -> Any:
    """A JSON value with every one of these texts replaced, at any depth."""
    secrets = tuple(secrets)
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, GONE)
        return value
    if isinstance(value, Mapping):
        return {without_secrets(name, secrets): without_secrets(each, secrets) for name, each in value.items()}
    return [without_secrets(each, secrets) for each in value] if isinstance(value, list | tuple) else value


def without_fields(value: Any) -> Any:
    """A JSON value without the keys in FIELDS, and without the headers that are sent to a tool server."""
    if isinstance(value, list):
        return [without_fields(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    kept = {
        name: GONE if name.lower() in FIELDS and isinstance(each, str) else without_fields(each)
        for name, each in value.items()
    }
    if "server_url" in kept and isinstance(kept.get("headers"), Mapping):
        kept["headers"] = dict.fromkeys(kept["headers"], GONE)
    return kept
