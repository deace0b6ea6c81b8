"""Tokenizers that need no network: the numbers behind lib/tokens/model_counters.py, and the pieces a page draws.

The rule: a tokenizer is known by the name that stands beside its numbers ("o200k_base", "ctok 4.8"), with how far it can be
trusted. Nothing is read from disk before the first text is cut, and any text is cut: half characters, special tokens,
megabytes of one letter.
It leaves out whose tokenizer a model uses, and what a message costs beyond its text: lib/tokens/model_counters.py knows both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lib.tokens import Provenance
from lib.tokens.vocabularies import byte_pairs, claude
from lib.tokens.vocabularies.pieces import Piece

__all__ = ["TOKENIZERS", "Piece", "Tokenizer", "content_tokens", "cut"]

_REBUILT = (
    "Anthropic does not publish its tokenizer. ctok rebuilds its counts from published ones; the number of pieces is"
    " the point here. Where a piece begins and ends is one of several ways to reach it, and the pieces have no public"
    " numbers."
)


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """One way to cut a text. `label` and `explanation` are for people; `name` is the key in TOKENIZERS."""

    name: str
    label: str
    provenance: Provenance
    explanation: str


TOKENIZERS: Mapping[str, Tokenizer] = MappingProxyType(
    {
        known.name: known
        for known in (
            Tokenizer(
                "o200k_base",
                "OpenAI, GPT-4o and later",
                "counted",
                "OpenAI's own vocabulary of 200,000 pieces, from GPT-4o to GPT-5.6 and gpt-oss. GPT-6 is assumed to"
                " use it.",
            ),
            Tokenizer(
                "cl100k_base",
                "OpenAI, GPT-4 and GPT-3.5",
                "counted",
                "OpenAI's own vocabulary of 100,000 pieces, of GPT-4, GPT-3.5 and the text-embedding-3 models.",
            ),
            Tokenizer("ctok 3.0", "Claude 3 to 4.6", "reconstructed", _REBUILT),
            Tokenizer("ctok 4.7", "Claude Opus 4.7", "reconstructed", _REBUILT),
            Tokenizer("ctok 4.8", "Claude Opus 4.8, Claude 5 and later", "reconstructed", _REBUILT),
        )
    }
)
"""In the order to offer them."""


def cut(name: str, text: str) -> list[Piece]:
    """The text in pieces, one per token. Raises KeyError for an unknown name, ImportError for Claude's without ctok.

    Example: cut("cl100k_base", "hello world") -> [Piece("hello", 15339), Piece(" world", 1917)]
    """
    rebuilt, version = _version(name)
    return claude.cut(version, text) if rebuilt else byte_pairs.cut(name, text)


def content_tokens(name: str, text: str) -> int:
    """How many pieces `cut` gives, without drawing them. Nothing for a message's frame.

    Example: content_tokens("ctok 4.8", "hello, world") -> 4
    """
    rebuilt, version = _version(name)
    return len(claude.tokens(version, text) if rebuilt else byte_pairs.ids(name, text))


def _version(name: str) -> tuple[bool, str]:
    """Whether ctok cuts, and which of its versions: "ctok 4.8" -> (True, "4.8")."""
    family, _, version = TOKENIZERS[name].name.partition(" ")
    return family == "ctok", version
