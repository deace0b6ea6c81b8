"""Counting tokens, and saying who counted.

The rule: a number of tokens never travels without its provenance. In this module nothing is asked over a network.
It leaves out tokenizers (lib/tokens/model_counters.py) and counting endpoints (lib/providers/): the one counter here is the source
document's characters / 4.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from lib.messages import Message
from lib.tool_calls import Pairing, opens_exchange

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


class TokenLedger:
    """The counts of one growing conversation: each message is counted once, any stretch is summed in O(1).

    `sync` takes the whole history on every request and counts only what is new. A history that was rewritten (trimmed
    or replaced by another service) is counted afresh. Also kept, because every strategy asks: where exchanges begin, where
    system messages stand, and which tool calls and results lack their partner. Safe to share between threads.
    """

    def __init__(self, counter: TokenCounter) -> None:
        self.counter = counter
        self._lock = threading.Lock()
        self._last: Message | None = None
        self._tally = Tally()

    def sync(self, messages: Sequence[Message]) -> Tally:
        """The tally of this history. O(new messages) when it only grew since the last call."""
        with self._lock:
            known = len(self._tally)
            if known and not (len(messages) >= known and messages[known - 1] is self._last):
                self._tally, known = Tally(), 0
            fresh = messages[known:]
            for message, tokens in zip(fresh, self.counter.count_many(fresh), strict=True):
                self._tally.add(message, tokens)
            self._last = messages[-1] if messages else None
            return self._tally


@dataclass(frozen=True, slots=True)
class Tally:
    """Running sums over a history, in tokens: `sums[i]` is the first i messages. Lists only ever grow.

    It may know more messages than a reader does (another thread counted on), so whoever reads it says how many it means.
    """

    sums: list[int] = field(default_factory=lambda: [0])
    user_positions: list[int] = field(default_factory=list)
    """Where exchanges begin: the user's messages, but for a tool's results in the user's name."""
    system_positions: list[int] = field(default_factory=list)
    system_sums: list[int] = field(default_factory=lambda: [0])
    """`system_sums[i]` is the tokens of the first i system messages."""
    talk: list[int] = field(default_factory=list)
    """For each exchange, the tokens before it of all that could be left out or sent: no system messages, nothing unpaired."""
    systems: list[int] = field(default_factory=list)
    """For each exchange, the tokens of system messages before it."""
    pairing: Pairing = field(default_factory=Pairing)
    memo: dict[Any, Any] = field(default_factory=dict)
    """What strategies worked out about this history and need again; theirs to fill and to keep small."""

    def add(self, message: Message, tokens: int) -> None:
        """One more message at the end."""
        position = len(self)
        self.sums.append(self.sums[-1] + tokens)
        self.pairing.add(position, message, self.sums)
        if opens_exchange(message):
            self.talk.append(self.talk_upto(position))
            self.systems.append(self.system_sums[-1])
            self.user_positions.append(position)
        elif message.is_system:
            self.system_sums.append(self.system_sums[-1] + tokens)
            self.system_positions.append(position)

    def __len__(self) -> int:
        return len(self.sums) - 1

    def systems_upto(self, size: int) -> int:
        """Tokens of the system messages among the first `size` messages. O(log n)."""
        return self.system_sums[bisect_left(self.system_positions, size)]

    def talk_upto(self, size: int) -> int:
        """Tokens of the first `size` messages without system messages and without what is unpaired. O(log n)."""
        return self.sums[size] - self.systems_upto(size) - self.pairing.tokens(size, self.sums)
