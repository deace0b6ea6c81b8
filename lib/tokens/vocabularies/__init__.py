"""Tokenizes and counts text with OpenAI's and Claude's tokenizers, without a network.

Vocabularies are loaded when the first text is tokenized. Any text works, including half characters, special tokens and
megabytes of one letter. Which model uses which tokenizer, and what a message costs beyond its text, is in
lib/tokens/model_counters.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lib.tokens import Provenance
from lib.tokens.vocabularies import byte_pairs, claude
from lib.tokens.vocabularies.pieces import TokenPiece

__all__ = ["TOKENIZERS", "TokenPiece", "Tokenizer", "content_tokens", "tokenize"]

_REBUILT = (
    "Anthropic does not publish its tokenizer. ctok rebuilds its counts from published ones, so the number of tokens is"
    " what matters here. Where a token begins and ends is one of several ways to reach that number, and the tokens have"
    " no public ids."
)


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """One tokenizer. `name` is its key in TOKENIZERS; `label` and `explanation` are for people."""

    name: str
    label: str
    provenance: Provenance
    explanation: str


TOKENIZERS: Mapping[str, Tokenizer] = MappingProxyType(
    {
        tokenizer.name: tokenizer
        for tokenizer in (
            Tokenizer(
                "o200k_base",
                "OpenAI, GPT-4o and later",
                "counted",
                "OpenAI's own vocabulary of 200,000 tokens, for GPT-4o to GPT-5.6 and gpt-oss. GPT-6 is assumed to use"
                " it.",
            ),
            Tokenizer(
                "cl100k_base",
                "OpenAI, GPT-4 and GPT-3.5",
                "counted",
                "OpenAI's own vocabulary of 100,000 tokens, for GPT-4, GPT-3.5 and the text-embedding-3 models.",
            ),
            Tokenizer("ctok 3.0", "Claude 3 to 4.6", "reconstructed", _REBUILT),
            Tokenizer("ctok 4.7", "Claude Opus 4.7", "reconstructed", _REBUILT),
            Tokenizer("ctok 4.8", "Claude Opus 4.8, Claude 5 and later", "reconstructed", _REBUILT),
        )
    }
)
"""In the order in which a page offers them."""


def tokenize(name: str, text: str) -> list[TokenPiece]:
    """The tokens of a text. Raises KeyError for an unknown name, ImportError for Claude's if ctok is missing.

    Example: tokenize("cl100k_base", "hello world") -> [TokenPiece("hello", 15339), TokenPiece(" world", 1917)]
    """
    version = _ctok_version(name)
    return byte_pairs.tokenize(name, text) if version is None else claude.tokenize(version, text)


def content_tokens(name: str, text: str) -> int:
    """How many tokens the text has, with nothing for the message around it. Raises what `tokenize` does.

    Example: content_tokens("ctok 4.8", "hello, world") -> 4
    """
    version = _ctok_version(name)
    return len(byte_pairs.token_ids(name, text) if version is None else claude.tokens(version, text))


def _ctok_version(name: str) -> str | None:
    """The version of ctok's tokenizer, None for OpenAI's. Example: "ctok 4.8" -> "4.8" """
    family, _, version = TOKENIZERS[name].name.partition(" ")
    return version if family == "ctok" else None
