"""The token counts of one growing conversation: each message is counted once, and any stretch is summed in O(1)."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.messages import Message
from lib.tokens import TokenCounter
from lib.tool_calls import Pairing, opens_exchange


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
        self._totals = RunningTotals()

    def sync(self, messages: Sequence[Message]) -> RunningTotals:
        """The totals of this history. O(new messages) when it only grew since the last call."""
        with self._lock:
            known = len(self._totals)
            if known and not (len(messages) >= known and messages[known - 1] is self._last):
                self._totals, known = RunningTotals(), 0
            fresh = messages[known:]
            for message, tokens in zip(fresh, self.counter.count_many(fresh), strict=True):
                self._totals.add(message, tokens)
            self._last = messages[-1] if messages else None
            return self._totals


@dataclass(frozen=True, slots=True)
class RunningTotals:
    """Running sums over a history, in tokens: `sums[i]` is the first i messages. Lists only ever grow.

    It may know more messages than a reader does (another thread counted on), so whoever reads it says how many it means.
    """

    sums: list[int] = field(default_factory=lambda: [0])
    user_positions: list[int] = field(default_factory=list)
    """Where exchanges begin: the user's messages, but for a tool's results in the user's name."""
    system_positions: list[int] = field(default_factory=list)
    system_sums: list[int] = field(default_factory=lambda: [0])
    """`system_sums[i]` is the tokens of the first i system messages."""
    decidable: list[int] = field(default_factory=list)
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
            self.decidable.append(self.decidable_upto(position))
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

    def decidable_upto(self, size: int) -> int:
        """Tokens of the first `size` messages without system messages and without what is unpaired. O(log n)."""
        return self.sums[size] - self.systems_upto(size) - self.pairing.unpaired_tokens(size, self.sums)
