"""VisitorCookie: the signed cookie by which an anonymous visitor is known again.

It holds a random id and the time at which it was signed, and nothing about the person. Nobody without the secret can
make one, so knowing the id of a session's owner does not help to become that owner.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping

from itsdangerous import BadSignature, TimestampSigner

LIFETIME = 180 * 86_400
"""Seconds after which a cookie is no longer accepted. Every visit on a later day renews it."""
RENEWED_AFTER = 86_400
"""Seconds."""
_OWNER = re.compile(r"visitor-[A-Za-z0-9_-]{22}")


def new_owner() -> str:
    """A new visitor's id: 128 random bits."""
    return f"visitor-{secrets.token_urlsafe(16)}"


class VisitorCookie:
    """Reads and writes the cookie. `clock` gives seconds since the epoch.

    Its name depends on the secret, because browsers do not tell the ports of a machine apart: two apps with different
    secrets would otherwise replace each other's cookie.
    """

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._signer = _Signer(secret, salt="windowseat.visitor", digest_method=hashlib.sha256)
        self._signer.clock = clock
        self._clock = clock
        self.name = "windowseat_visitor_" + hmac.digest(secret.encode(), b"name", "sha256").hex()[:8]

    def owner(self, cookies: Mapping[str, str]) -> str | None:
        """The visitor's id; None if the cookie is missing, forged or expired."""
        owner, _ = self._read(cookies)
        return owner

    def renewal(self, cookies: Mapping[str, str], *, secure: bool, path: str = "/") -> str | None:
        """The Set-Cookie header to answer with: for a new visitor, or in place of a cookie that cannot be used or is
        older than a day. None if nothing needs to be set. `secure` is whether the browser came by https.
        """
        owner, age = self._read(cookies)
        return None if owner and age < RENEWED_AFTER else self.header(owner or new_owner(), secure=secure, path=path)

    def header(self, owner: str, *, secure: bool, path: str = "/") -> str:
        """The Set-Cookie header that makes a browser this visitor."""
        flags = ["HttpOnly", "SameSite=Lax", f"Path={path}", f"Max-Age={LIFETIME}"] + ["Secure"] * secure
        return "; ".join([f"{self.name}={self._signer.sign(owner).decode()}", *flags])

    def _read(self, cookies: Mapping[str, str]) -> tuple[str | None, float]:
        """The visitor's id and the cookie's age in seconds."""
        try:
            value, signed = self._signer.unsign(cookies.get(self.name, ""), max_age=LIFETIME, return_timestamp=True)
        except BadSignature:  # SignatureExpired, too
            return None, 0.0
        owner = value.decode(errors="replace")
        if not _OWNER.fullmatch(owner):
            return None, 0.0
        return owner, self._clock() - signed.timestamp()


class _Signer(TimestampSigner):
    """TimestampSigner by a clock that a test can set."""

    clock: Callable[[], float] = staticmethod(time.time)

    def get_timestamp(self) -> int:
        return int(self.clock())
