"""Counts that are kept, so that a text is counted once however often it is sent.

The rule: a text is known by its content, not by where it was met, and the memory is bounded. Long texts are not held, only
a digest. It leaves out messages and their frames: lib/tokens/model_counters.py adds them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache

from lib.tokens.vocabularies import content_tokens

KEPT = 32_768
"""Texts whose counts are kept for each tokenizer, at least; never more than twice as many (about 10 MB)."""
SHORT = 64
"""Characters. Of longer texts 16 bytes of their BLAKE2 digest are held."""


class TextCounts:
    """Counts texts, each once. Safe to share between threads: two that meet a new text together may both count it, and
    neither waits for the other.

    Two generations: what the young one lacks is looked for in the old one; a full young one becomes the old one.
    """

    def __init__(self, counted: Callable[[str], int]) -> None:
        self._counted = counted
        self._young: dict[str | bytes, int] = {}
        self._old: dict[str | bytes, int] = {}

    def __call__(self, text: str) -> int:
        """Tokens of a text, without any frame."""
        key = text if len(text) <= SHORT else _digest(text)
        tokens = self._young.get(key)
        if tokens is None:
            tokens = self._old.get(key)
            tokens = self._counted(text) if tokens is None else tokens
            if len(self._young) >= KEPT:
                self._old, self._young = self._young, {}
            self._young[key] = tokens
        return tokens

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


@cache
def text_counts(tokenizer: str) -> TextCounts:
    """The counts that all counters with this tokenizer share."""
    return TextCounts(lambda text: content_tokens(tokenizer, text))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
