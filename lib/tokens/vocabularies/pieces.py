"""What a tokenizer cuts a text into, ready to be drawn.

The rule: every byte can be read. Bytes that are no whole character on their own stand between ‹ and › as hex.
It leaves out how a text is cut: byte_pairs.py and claude.py do that.
"""

from __future__ import annotations

import re
from typing import NamedTuple

STRAY = re.compile("[\udc80-\udcff]+")
"""How Python writes bytes that are no UTF-8 (PEP 383)."""


class Piece(NamedTuple):
    """One token of a text. `id` is its number in the vocabulary; None where the vocabulary has no public numbers.

    Example: Piece(" world", 2375)
    """

    text: str
    id: int | None


def drawable(data: bytes) -> str:
    """Bytes as text: whole characters as they are, the rest as hex.

    Example: drawable(b"a\\xe2\\x82") -> "a‹e2 82›"
    """
    text = data.decode("utf-8", "surrogateescape")
    return STRAY.sub(lambda found: f"‹{found[0].encode('utf-8', 'surrogateescape').hex(' ')}›", text)


def mended(text: str) -> str:
    """The text as UTF-8 can hold it: two halves of a surrogate pair become their character, a lone half U+FFFD. It is what
    a provider reads, since requests are sent as UTF-8.

    Example: mended("\\ud83d\\ude00 \\ud83d") -> "😀 \\ufffd"
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
