"""Makes the HTTP clients that both vendors' SDKs send through, and checks keys before they go into a header."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lib.errors import MissingKey, WrongKey
from lib.providers.bounded_http import bounded_client
from lib.settings import Endpoint

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 5.0
READ_SECONDS = 300.0
"""A small machine may take minutes before the first word of a reply to a long request."""
MAX_CONNECTIONS = 1000
"""By default the 101st person would wait."""


def usable_key(endpoint: Endpoint, key: str | None) -> str:
    """The key without surrounding spaces, or a placeholder for servers that need none.

    Raises MissingKey, or WrongKey for a key that no HTTP header can carry.
    """
    key = (key or "").strip()
    if not key and endpoint.needs_key:
        raise MissingKey(f"No API key is known for {endpoint.label}.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise WrongKey(f"The key for {endpoint.label} holds characters that no key has. It was not sent.")
    return key or "not-needed"


def shared_client(url: str) -> httpx2.Client:
    """The HTTP client for this address. Shared, because making one takes 30 ms: it loads every certificate."""
    return _client(through_proxy=not is_on_this_machine(urlsplit(url).hostname or ""))


def forget_clients() -> None:
    """Make new clients when they are next needed, with the time limits that apply then."""
    _client.cache_clear()


@cache
def _client(*, through_proxy: bool) -> httpx2.Client:
    import httpx2

    timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    # llama.cpp sometimes closes a kept connection without saying so, and the next request on it is lost. So connections
    # are kept only to other machines, where opening one takes time.
    kept = 20 if through_proxy else 0
    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=kept)
    # trust_env reads HTTP_PROXY: a company's proxy cannot reach servers on this machine, and must not see their traffic
    return bounded_client(timeout=timeout, limits=limits, trust_env=through_proxy)


def is_on_this_machine(host: str) -> bool:
    """Whether this is a name or address of the loopback interface."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
