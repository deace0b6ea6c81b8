"""VisitorCookie: the signed cookie by which an anonymous visitor is known again.

It holds a random id and the time at which it was signed, and nothing about the person. Nobody without the secret can
make one, so knowing the id of a session's owner does not help to become that owner.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping

from lib.access.signer import LIFETIME, OwnerSigner

RENEWED_AFTER = 86_400
"""Seconds. A visit on a later day renews the cookie."""


def new_owner() -> str:
    """A new visitor's id: 128 random bits."""
    return f"visitor-{secrets.token_urlsafe(16)}"


class VisitorCookie:
    """Reads and writes the cookie. `clock` gives seconds since the epoch.

    Its name depends on the secret, because browsers do not tell the ports of a machine apart: two apps with different
    secrets would otherwise replace each other's cookie.
    """

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._signer = OwnerSigner(secret, "windowseat.visitor", clock)
        self.name = "windowseat_visitor_" + hmac.digest(secret.encode(), b"name", "sha256").hex()[:8]

    def owner(self, cookies: Mapping[str, str]) -> str | None:
        """The visitor's id; None if the cookie is missing, forged or expired."""
        owner, _ = self._signer.read(cookies.get(self.name, ""))
        return owner

    def renewal(self, cookies: Mapping[str, str], *, secure: bool, path: str = "/") -> str | None:
        """The Set-Cookie header to answer with: for a new visitor, or in place of a cookie that cannot be used or is
        older than a day. None if nothing needs to be set. `secure` is whether the browser came by https.
        """
        owner, age = self._signer.read(cookies.get(self.name, ""))
        return None if owner and age < RENEWED_AFTER else self.header(owner or new_owner(), secure=secure, path=path)

    def header(self, owner: str, *, secure: bool, path: str = "/") -> str:
        """The Set-Cookie header that makes a browser this visitor."""
        flags = ["HttpOnly", "SameSite=Lax", f"Path={path}", f"Max-Age={LIFETIME}"] + ["Secure"] * secure
        return "; ".join([f"{self.name}={self._signer.sign(owner)}", *flags])
