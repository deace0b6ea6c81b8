"""Signs the id of a person with the time, and reads it back."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable

from itsdangerous import BadSignature, TimestampSigner

LIFETIME = 180 * 86_400
"""Seconds after which a signature is no longer accepted."""
_OWNER = re.compile(r"visitor-[A-Za-z0-9_-]{22}|account-[0-9a-f]{32}")


class OwnerSigner:
    """Whoever does not know the secret cannot make a signed id. `purpose` keeps one use from being taken for another.

    `clock` gives seconds since the epoch.
    """

    def __init__(self, secret: str, purpose: str, clock: Callable[[], float] = time.time) -> None:
        self._signer = _Signer(secret, salt=purpose, digest_method=hashlib.sha256)
        self._signer.clock = clock
        self._clock = clock

    def sign(self, owner: str) -> str:
        """The signed id, in letters, digits and the signs . _ - only."""
        return self._signer.sign(owner).decode()

    def read(self, signed: str) -> tuple[str | None, float]:
        """The id and the signature's age in seconds; None if it is forged, expired or no id of a person."""
        try:
            value, at = self._signer.unsign(signed, max_age=LIFETIME, return_timestamp=True)
        except BadSignature:  # SignatureExpired, too
            return None, 0.0
        owner = value.decode(errors="replace")
        if not _OWNER.fullmatch(owner):
            return None, 0.0
        return owner, self._clock() - at.timestamp()


class _Signer(TimestampSigner):
    """TimestampSigner by a clock that a test can set."""

    clock: Callable[[], float] = staticmethod(time.time)

    def get_timestamp(self) -> int:
        return int(self.clock())
