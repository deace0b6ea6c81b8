"""Counting tokens, and saying who counted.

The rule: a number of tokens never travels without its provenance. In this module nothing is asked over a network.
It leaves out tokenizers and counting endpoints: the one counter here is the source document's characters / 4.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lib.messages import Message

Provenance = Literal["billed", "counted", "reconstructed", "assumed", "estimated"]

PROVENANCE_TEXT: dict[Provenance, str] = {
    "billed": "The provider's own figure for this request, the one it charges for.",
    "counted": "Counted by the provider's counting endpoint or by the model's own tokenizer.",
    "reconstructed": "Counted by a tokenizer rebuilt from the provider's published counts.",
    "assumed": "Counted by the tokenizer this model is assumed to use.",
    "estimated": "Characters / 4, rounded up per message. English prose is off by up to a third; code, other scripts and "
    "emoji by up to four times.",
}


class TokenCounter(Protocol):
    """Counts one message, in tokens. `name` and `provenance` are shown beside every number it makes."""

    @property
    def name(self) -> str: ...
    @property
    def provenance(self) -> Provenance: ...
    def count(self, message: Message) -> int: ...


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


def utf16_units(text: str) -> int:
    """The length JavaScript gives a string: characters beyond U+FFFF count twice.

    Example: utf16_units("a😀") -> 3
    """
    return len(text) if text.isascii() else sum(2 if char > "\uffff" else 1 for char in text)


class TokenLedger:
    """The counts of one growing conversation: each message is counted once, any stretch is summed in O(1).

    `sync` takes the whole history on every request and counts only what is new. A history that was rewritten (trimmed
    or replaced by another service) is counted afresh. Also kept, because every strategy asks: where the user's messages
    stand (an exchange begins there) and where system messages stand. Safe to share between threads.
    """

    def __init__(self, counter: TokenCounter) -> None:
        self.counter = counter
        self._lock = threading.Lock()
        self._last: Message | None = None
        self._tally = Tally([0], [], [])

    def sync(self, messages: Sequence[Message]) -> Tally:
        """The tally of this history. O(new messages) when it only grew since the last call."""
        with self._lock:
            known = len(self._tally)
            if known and not (len(messages) >= known and messages[known - 1] is self._last):
                self._tally, known = Tally([0], [], []), 0
            for position in range(known, len(messages)):
                self._tally.add(messages[position], self.counter.count(messages[position]))
            self._last = messages[-1] if messages else None
            return self._tally


@dataclass(frozen=True, slots=True)
class Tally:
    """Running sums over a history: `sums[i]` is the tokens of the first i messages. Lists only ever grow."""

    sums: list[int]
    user_positions: list[int]
    system_positions: list[int]

    def add(self, message: Message, tokens: int) -> None:
        """One more message at the end."""
        position = len(self)
        if message.role == "user":
            self.user_positions.append(position)
        elif message.is_system:
            self.system_positions.append(position)
        self.sums.append(self.sums[-1] + tokens)

    def __len__(self) -> int:
        return len(self.sums) - 1
