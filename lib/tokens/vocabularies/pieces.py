"""Defines TokenPiece, one token of a text that can be shown on a page."""

from __future__ import annotations

import re
from typing import NamedTuple

_INVALID_BYTES = re.compile("[\udc80-\udcff]+")
"""How Python's "surrogateescape" writes bytes that are not UTF-8 (PEP 383)."""


class TokenPiece(NamedTuple):
    """One token of a text. `id` is its number in the vocabulary, None if the vocabulary has no public numbers.

    Example: TokenPiece(" world", 2375)
    """

    text: str
    id: int | None


def readable_bytes(data: bytes) -> str:
    """Bytes as text: whole UTF-8 characters as they are, other bytes as hex between ‹ and ›.

    Example: readable_bytes(b"a\\xe2\\x82") -> "a‹e2 82›"
    """
    text = data.decode("utf-8", "surrogateescape")
    return _INVALID_BYTES.sub(lambda found: f"‹{found[0].encode('utf-8', 'surrogateescape').hex(' ')}›", text)
