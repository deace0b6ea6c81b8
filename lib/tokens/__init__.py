"""Defines what a token counter is, and the provenance that is shown beside every count.

The only counter here is the source document's estimate, characters / 4. Counters with a model's own tokenizer are in
lib/tokens/model_counters.py, counting endpoints in lib/providers/.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, Protocol

from lib.messages import Message
from lib.tokens.counted import NON_TEXT_PART, counted

Provenance = Literal["billed", "counted", "reconstructed", "assumed", "estimated"]

PROVENANCE_TEXT: dict[Provenance, str] = {
    "billed": "Billed: the number the provider reports for this request and charges for.",
    "counted": "Counted by the provider's counting endpoint or by the model's own tokenizer.",
    "reconstructed": "Reconstructed: counted by a tokenizer rebuilt from the provider's published counts.",
    "assumed": "Assumed: counted by a tokenizer that this model may or may not use.",
    "estimated": (
        "Estimated: characters / 4, rounded up per message. English prose is off by up to a third; code, other scripts"
        " and emoji by up to four times."
    ),
}


def provenance_label(provenance: Provenance) -> str:
    """The word that is shown beside a count. Example: "~estimated" for "estimated"; "billed" for "billed"."""
    return f"~{provenance}" if provenance == "estimated" else provenance


class TokenCounter(Protocol):
    """Counts the tokens of messages. `name` and `provenance` are shown beside every count.

    The size of a request is the sum of its messages plus `template`, so the size of any part of a conversation is a sum
    too. The size of a message includes what the protocol adds around it (role, separators).
    """

    @property
    def name(self) -> str:
        """The counter's name for people: "characters / 4", "o200k_base", "ctok 4.8"."""

    @property
    def provenance(self) -> Provenance:
        """How far its counts can be trusted."""

    def count(self, message: Message) -> int:
        """Tokens of one message, including what the protocol adds around it."""

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of each message, in order. Counters that use a server send few requests for it."""

    def template(self, has_system: bool) -> int:
        """Tokens a request holds beyond its messages: the start of the reply, and the system message that some chat
        templates add if the request has none."""


class CharacterEstimate:
    """The source document's estimateTokens: UTF-16 units / 4, rounded up, with nothing for roles and separators.

    It differs where the source counts the data of images and encrypted parts as text. An image or a file is
    NON_TEXT_PART tokens here. Example: count(user("Hello")) -> 2
    """

    name = "characters / 4"
    provenance: Provenance = "estimated"

    def count(self, message: Message) -> int:
        """Estimated tokens of the content; for texts, equal to JavaScript's Math.ceil(text.length / 4)."""
        if isinstance(message.content, str):
            return -(-utf16_units(message.content) // 4)
        kept, images, others = counted(message)
        text = json.dumps(kept.content, ensure_ascii=False, separators=(",", ":"))
        return -(-utf16_units(text) // 4) + (len(images) + others) * NON_TEXT_PART

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        """Estimated tokens of each message."""
        return [self.count(message) for message in messages]

    def template(self, has_system: bool) -> int:
        """0, because the source counts only text."""
        return 0


ESTIMATE = CharacterEstimate()
"""For when no better counter is at hand."""


def utf16_units(text: str) -> int:
    """The length of a string in JavaScript, where characters beyond U+FFFF count twice.

    Example: utf16_units("a😀") -> 3
    """
    return len(text) if text.isascii() else sum(2 if char > "\uffff" else 1 for char in text)
