"""Remembers the token counts of texts, so that each text is tokenized once however often it is sent.

The memory is bounded, and long texts are stored as a digest only. What a message costs beyond its texts is added in
lib/tokens/model_counters.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache

from lib.tokens.vocabularies import content_tokens

GENERATION_SIZE = 32_768
"""Texts in one generation. A cache holds at most two, about 10 MB."""
LONGEST_KEY = 64
"""Characters. Longer texts are stored as 16 bytes of their BLAKE2 digest."""


class CountCache:
    """Counts the tokens of texts and remembers the counts of those used last.

    There are two generations: a count that the young one lacks is taken from the old one, and a full young one becomes
    the old one. Safe to share between threads without a lock: two threads that meet a new text at once may both count
    it.
    """

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self._young: dict[str | bytes, int] = {}
        self._old: dict[str | bytes, int] = {}

    def __call__(self, text: str) -> int:
        """Tokens of a text, with nothing for the message around it."""
        key = text if len(text) <= LONGEST_KEY else _digest(text)
        tokens = self._young.get(key)
        if tokens is None:
            tokens = self._old.get(key)
            tokens = self._count(text) if tokens is None else tokens
            if len(self._young) >= GENERATION_SIZE:
                self._old, self._young = self._young, {}
            self._young[key] = tokens
        return tokens

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


@cache
def shared_cache(tokenizer: str) -> CountCache:
    """The cache that all counters with this tokenizer share."""
    return CountCache(lambda text: content_tokens(tokenizer, text))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
