"""The request to the provider: its address, its headers, and the HTTP clients that send it.

Nothing is added and nothing is followed: what the app sent goes on as it came, but for headers that belong to one
connection and those that are meant for Windowseat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from weakref import WeakKeyDictionary

from lib.providers.anthropic import ANTHROPIC
from lib.providers.http_client import CONNECT_SECONDS, MAX_CONNECTIONS, is_on_this_machine
from lib.providers.openai import OPENAI
from lib.settings import Endpoint

if TYPE_CHECKING:
    import httpx2

Headers = list[tuple[bytes, bytes]]
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding"
    b" upgrade".split()
)
OURS = b"x-windowseat-"
"""The beginning of the headers that are meant for Windowseat."""
OUR_COOKIES = (b"windowseat_", b"_streamlit_")
"""The beginnings of the names of cookies that say to us who a person is."""
WRITE_SECONDS = 60.0


def is_plain(path: str) -> bool:
    """Whether a decoded path means to the provider what it means here: none of its parts goes up, and no sign begins a
    query or stands for another one. Example: is_plain("/v1/models/../keys") -> False
    """
    return not set(path) & set("?#%\\;") and not {".", ".."} & set(path.split("/"))


def address(endpoint: Endpoint, path: str, query: str, local_url: str | None) -> str:
    """Where a request to this path of ours goes.

    OpenAI's base URLs end where its paths begin, usually with /v1; Anthropic's are the server's own. `local_url` is
    that of the model on this machine.
    """
    if endpoint.kind == "anthropic":
        url = (endpoint.base_url or ANTHROPIC).rstrip("/") + path
    elif endpoint.kind == "openai":
        url = (endpoint.base_url or OPENAI).rstrip("/") + path.removeprefix("/v1")
    else:
        url = f"{local_url}{path}"
    return f"{url}?{query}" if query else url


def shown(url: str) -> str:
    """An address without what may be secret: a name with a password, and the query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def request_headers(raw: Iterable[tuple[bytes, bytes]], local_key: str | None) -> Headers:
    """The headers that go on. The model on this machine gets its own key in place of the app's."""
    kept = [
        (name, value)
        for name, value in _without_our_cookies(_end_to_end(raw))
        if name.lower() not in (b"host", b"content-length", b"expect") and not name.lower().startswith(OURS)
    ]
    if local_key is None:
        return kept
    kept = [(name, value) for name, value in kept if name.lower() not in (b"authorization", b"x-api-key")]
    return [*kept, (b"authorization", f"Bearer {local_key}".encode())]


def _without_our_cookies(headers: Headers) -> Headers:
    """The headers without the cookies that say to us who a person is: with one, its holder could be that person."""
    kept: Headers = []
    for name, value in headers:
        if name.lower() == b"cookie":
            pairs = [each.strip() for each in value.split(b";")]
            value = b"; ".join(each for each in pairs if each and not each.startswith(OUR_COOKIES))
        if value or name.lower() != b"cookie":
            kept.append((name, value))
    return kept


def response_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers that go back, without cookies that would tell us who a person is: a provider may not make a browser
    another one's. The server here writes a date of its own."""
    return [
        (name.lower(), value)
        for name, value in _end_to_end(raw)
        if name.lower() != b"date" and not (name.lower() == b"set-cookie" and value.strip().startswith(OUR_COOKIES))
    ]


def _end_to_end(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers without those that belong to one connection, which the header Connection may name."""
    headers = list(raw)
    named = {
        each.strip().lower() for name, value in headers if name.lower() == b"connection" for each in value.split(b",")
    }
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP | named]


def build(method: str, url: str, headers: Headers, data: bytes) -> httpx2.Request:
    """The request with exactly these bytes. Only Host and the length are added. It waits for an answer as long as the
    app does."""
    import httpx2

    timeout = httpx2.Timeout(None, connect=CONNECT_SECONDS, write=WRITE_SECONDS)
    content = data if method == "POST" else None
    extensions: dict[str, Any] = {"timeout": timeout.as_dict()}
    return httpx2.Request(method, url, headers=headers, content=content, extensions=extensions)


def client_for(url: str) -> httpx2.AsyncClient:
    """The client for this address in the running event loop. Making the first one takes 30 ms: call `warm` before."""
    through_proxy = not is_on_this_machine(urlsplit(url).hostname or "")
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    if through_proxy not in clients:
        clients[through_proxy] = _client(through_proxy=through_proxy)
    return clients[through_proxy]


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, httpx2.AsyncClient]] = WeakKeyDictionary()
"""A client belongs to the event loop whose connections it holds: with a proxy and without."""


def _client(*, through_proxy: bool) -> httpx2.AsyncClient:
    import httpx2

    # as in lib/providers/http_client.py: no proxy and no kept connections to this machine
    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=20 if through_proxy else 0)
    return httpx2.AsyncClient(
        verify=_certificates(), limits=limits, trust_env=through_proxy, follow_redirects=False, timeout=None
    )


@lru_cache(maxsize=1)
def _certificates() -> Any:
    import httpx2

    return httpx2.create_ssl_context()


def warm() -> None:
    """Import what the first request needs. May block."""
    _certificates()
