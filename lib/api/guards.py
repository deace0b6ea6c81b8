"""Who may ask: the checks that every request to an HTTP route passes before anything is read or done.

Streamlit checks neither the origin nor the size of a request to a route of ours, and it has no login for them. So each
route checks the Host header (another site's name may have been pointed here), the Origin header (a web page of another
site must not use a visitor's browser), the token, the kind of the body and its size.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from lib.access import is_loopback
from lib.api.errors import Refused, forbidden

MOST_BYTES = 1_000_000
"""The largest body of a chat request."""
TOKEN_HEADER = "x-windowseat-token"  # noqa: S105 - the name of a header
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers of proxies. A request with one of them comes from elsewhere, whatever its address says."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The checks, with what they need to know of this installation. Each is asked when a request comes.

    `address` is where the server was told to listen (None: everywhere); `hosts` are further names that the server
    answers to, as in Streamlit's `server.allowedHosts`.
    """

    token: Callable[[], str | None]
    address: Callable[[], str | None]
    hosts: Callable[[], Sequence[str]] = tuple

    def check_caller(self, request: Request, *, bearer: bool = True) -> None:
        """Check host, origin and token. Raises Refused (401 or 403).

        Without `bearer` the token is taken from the header X-Windowseat-Token only, because Authorization holds a key
        for somebody else.
        """
        self.check_stranger(request)
        self.check_token(request, bearer=bearer)

    def check_stranger(self, request: Request) -> None:
        """Check host and origin only, for what everybody may know. Raises Refused (403)."""
        self.check_host(request)
        check_origin(request)

    def is_local(self, request: HTTPConnection) -> bool:
        """Whether the request came from this machine to a server that only this machine can reach."""
        ends = [request.scope.get(end) for end in ("server", "client")]
        return (
            is_loopback(self.address())
            and all(end is not None and is_loopback(end[0]) for end in ends)
            and not any(name in request.headers for name in FORWARDED)
        )

    def check_host(self, request: HTTPConnection) -> None:
        """Refuse a Host header that is not one of our names. Without loopback and a list of names, every name is ours:
        there the token protects."""
        name = _host_name(request.headers.get("host", ""))
        allowed = tuple(self.hosts())
        known = name in LOCAL_NAMES or any(_matches(name, pattern) for pattern in allowed)
        if name and (known or not (allowed or self.is_local(request))):
            return
        raise forbidden(
            "wrong_host",
            "The Host header does not name this server.",
            "Use the address under which the app was started, or add the name to server.allowedHosts.",
        )

    def check_token(self, request: Request, *, bearer: bool = True) -> None:
        """Refuse a request without the token of this installation.

        Where none is set, only requests from this machine to a server on loopback pass.
        """
        token = self.token()
        if token is None:
            if self.is_local(request):
                return
            raise forbidden(
                "no_token_configured",
                "This server can be reached from other machines, and no token is set for its HTTP routes.",
                "Set WINDOWSEAT_API_TOKEN where the app is started, and send it as a bearer token.",
            )
        given = [request.headers.get(TOKEN_HEADER, "")]
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if bearer and scheme.lower() == "bearer":
            given.append(credential.strip())
        if not any(secrets.compare_digest(one.encode(), token.encode()) for one in given):
            raise Refused(
                401,
                "wrong_token",
                "The token is missing or wrong.",
                next_step="Send WINDOWSEAT_API_TOKEN as “Authorization: Bearer …”.",
                headers={"www-authenticate": 'Bearer realm="windowseat"'},
            )


def check_origin(request: Request) -> None:
    """Refuse a request that a browser sends for a page of another origin. Programs send neither header."""
    origin = request.headers.get("origin")
    host = request.headers.get("host", "").lower()
    same = origin is None or (bool(host) and _address_of(origin) == host)
    if same and request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return
    raise forbidden(
        "wrong_origin",
        "The request comes from a web page of another origin.",
        "Call this address from a program or a server, not from another site's page.",
    )


async def read_body(request: Request, most_bytes: int = MOST_BYTES) -> bytes:
    """The body of a request. Raises Refused (413) as soon as it is larger than `most_bytes`."""
    too_large = Refused(413, "too_large", f"The body is larger than {most_bytes:,} bytes.")
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > most_bytes:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            raise too_large
    return bytes(body)


async def read_json(request: Request, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The JSON object of a request. Raises Refused: 415 for another kind of body, 413, or 400 if it cannot be read."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "not_json", "The body must be JSON, with “Content-Type: application/json”.")
    raw = await read_body(request, most_bytes)
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(400, "malformed", "The body is not JSON that can be read.") from None
    if not isinstance(value, dict):
        raise Refused(400, "malformed", "The body must be a JSON object.")
    return value


def _address_of(origin: str) -> str:
    """Host and port of an origin as a Host header has them; empty for "null" and what is no address."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _host_name(header: str) -> str:
    """The name in a Host header, without port and brackets; empty for more than an address.

    Example: "[::1]:8501" -> "::1"
    """
    if set(header) & set("/?#@\\"):
        return ""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _matches(name: str, pattern: str) -> bool:
    """Whether a name is one of `pattern`: itself, "*.example.com" or "*"."""
    pattern = pattern.lower()
    return pattern == "*" or name == pattern or (pattern.startswith("*.") and name.endswith(pattern[1:]))
