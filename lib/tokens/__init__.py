"""Counting tokens, and saying who counted.

The rule: a number of tokens never travels without its provenance. In this module nothing is asked over a network.
It leaves out tokenizers (lib/tokens/model_counters.py) and counting endpoints (lib/providers/): the one counter here is the source
document's characters / 4.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, Protocol

from lib.messages import Message

Provenance = Literal["billed", "counted", "reconstructed", "assumed", "estimated"]

PROVENANCE_TEXT: dict[Provenance, str] = {
    "billed": "The provider's own figure for this request, the one it charges for.",
    "counted": "Counted by the provider's counting endpoint or by the model's own tokenizer.",
    "reconstructed": "Counted by a tokenizer rebuilt from the provider's published counts.",
    "assumed": "Counted by the tokenizer this model is assumed to use.",
    "estimated": (
        "Characters / 4, rounded up per message. English prose is off by up to a third; code, other scripts and "
        "emoji by up to four times."
    ),
}


class TokenCounter(Protocol):
    """Counts messages, in tokens. `name` and `provenance` are shown beside every number it makes.

    The rule every counter keeps: a request's size is the sum of its messages plus `template`, so that any stretch of a
    conversation can be summed. A message's size includes what the protocol puts around it (role, separators).
    """

    @property
    def name(self) -> str:
        """Who counts, for people: "characters / 4", "o200k_base", "ctok 4.8"."""

    @property
    def provenance(self) -> Provenance:
        """How far its numbers can be trusted."""

    def count(self, message: Message) -> int:
        """Tokens of one message with its frame."""

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        """The same for many, in order; where counting asks a server, in few requests."""

    def template(self, has_system: bool) -> int:
        """Tokens a request holds beyond its messages: the reply's opening, and a system block that a chat template adds
        where the request has none."""


class CharacterEstimate:
    """The source document's estimateTokens: UTF-16 units / 4, rounded up, nothing for roles and separators.

    Example: count(user("Hello")) -> 2
    """

    name = "characters / 4"
    provenance: Provenance = "estimated"

    def count(self, message: Message) -> int:
        """Tokens of the content alone, as JavaScript's Math.ceil(text.length / 4) has it."""
        content = message.content
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return -(-utf16_units(text) // 4)

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        """The same for many."""
        return [self.count(message) for message in messages]

    def template(self, has_system: bool) -> int:
        """None: the source counts nothing but text."""
        return 0


ESTIMATE = CharacterEstimate()
"""The one everybody uses where nothing better is at hand."""


def utf16_units(text: str) -> int:
    """The length JavaScript gives a string: characters beyond U+FFFF count twice.

    Example: utf16_units("a😀") -> 3
    """
    return len(text) if text.isascii() else sum(2 if char > "\uffff" else 1 for char in text)
