"""Reads the settings that say whose sessions are whose.

WINDOWSEAT_PEOPLE          "one": everything belongs to everybody who can reach the app. "visitors": every browser has
                           its own. "accounts": people log in. If unset: accounts with an [auth] table in
                           secrets.toml, else one person on loopback, else visitors
WINDOWSEAT_COOKIE_SECRET   signs the visitors' cookies (at least 32 characters)
WINDOWSEAT_ADMINS          who sees everybody's sessions, separated by commas: e-mail addresses that the provider
                           has verified, or its ids of people (`sub`)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lib.errors import InvalidSettings

SHORTEST_SECRET = 32
"""Characters."""
PROVIDER_FIELDS = ("client_id", "server_metadata_url")
"""What makes a table below [auth] a login provider, for Streamlit too."""


@dataclass(frozen=True, slots=True)
class PeopleSettings:
    """Whose sessions are whose. Everything is optional."""

    mode: Literal["one", "visitors", "accounts"] | None = None
    """What was chosen; None to find out."""
    cookie_secret: str | None = field(default=None, repr=False)
    admins: frozenset[str] = frozenset()
    """In lower case."""
    has_login: bool = False
    """Whether secrets.toml has an [auth] table."""
    providers: tuple[str, ...] = ()
    """Names of the login providers in [auth.NAME] tables; empty if [auth] itself describes the only one."""


def people_settings(values: Mapping[str, Any]) -> PeopleSettings:
    """Read them. Raises InvalidSettings."""
    mode = str(values.get("WINDOWSEAT_PEOPLE", "")).strip()
    if mode not in ("", "one", "visitors", "accounts"):
        raise InvalidSettings(f"WINDOWSEAT_PEOPLE is {mode!r}, but must be 'one', 'visitors', 'accounts' or unset.")
    secret = str(values.get("WINDOWSEAT_COOKIE_SECRET", "")).strip()
    if secret and len(secret) < SHORTEST_SECRET:
        raise InvalidSettings(f"WINDOWSEAT_COOKIE_SECRET must have at least {SHORTEST_SECRET} characters.")
    auth = values.get("auth")
    if auth is not None and not isinstance(auth, Mapping):
        raise InvalidSettings("[auth] in secrets.toml must be a table.")
    return PeopleSettings(
        mode=mode or None,  # type: ignore[arg-type]  # one of the three words, as checked above
        cookie_secret=secret or None,
        admins=_admins(values.get("WINDOWSEAT_ADMINS", "")),
        has_login=auth is not None,
        providers=tuple(str(name) for name, table in (auth or {}).items() if _is_provider(table)),
    )


def _admins(value: Any) -> frozenset[str]:
    """Names separated by commas, or a list of names in secrets.toml."""
    names = value if isinstance(value, list) else str(value).split(",")
    return frozenset(str(name).strip().lower() for name in names) - {""}


def _is_provider(table: Any) -> bool:
    return isinstance(table, Mapping) and any(name in table for name in PROVIDER_FIELDS)
