"""Keeps the token counts of one growing conversation: counts each message once and sums any part of it quickly."""

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
    """The token counts of one growing conversation. Safe to share between threads.

    `sync` takes the whole history for every request and counts only the new messages. If the history was rewritten
    (trimmed or replaced by another service), it is counted again from the start.
    """

    def __init__(self, counter: TokenCounter) -> None:
        self.counter = counter
        self._lock = threading.Lock()
        self._last: Message | None = None
        self._totals = RunningTotals()

    def sync(self, messages: Sequence[Message]) -> RunningTotals:
        """The totals of this history. O(new messages) if it has only grown since the last call."""
        with self._lock:
            new = self.uncounted(messages)
            if len(new) == len(messages):
                self._totals = RunningTotals()
            for message, tokens in zip(new, self.counter.count_many(new), strict=True):
                self._totals.add(message, tokens)
            self._last = messages[-1] if messages else None
            return self._totals

    def uncounted(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The messages that `sync` would count: the new ones, or all if the history was rewritten."""
        known = len(self._totals)
        return messages[known:] if known and len(messages) >= known and messages[known - 1] is self._last else messages

    @property
    def counting(self) -> bool:
        """Whether another thread is counting just now; `sync` would wait for it."""
        return self._lock.locked()


@dataclass(frozen=True, slots=True)
class RunningTotals:
    """Running token sums over a history, and what every strategy needs to know about it. The lists only grow.

    Another thread may have added messages that a reader does not know, so readers pass the length of their history.
    """

    sums: list[int] = field(default_factory=lambda: [0])
    """`sums[i]` is the tokens of the first i messages."""
    user_positions: list[int] = field(default_factory=list)
    """Where exchanges begin: the positions of user messages, without tool results that have the user's role."""
    system_positions: list[int] = field(default_factory=list)
    """The positions of system messages."""
    system_sums: list[int] = field(default_factory=lambda: [0])
    """`system_sums[i]` is the tokens of the first i system messages."""
    optional_before: list[int] = field(default_factory=list)
    """For each exchange, the tokens before it that a strategy may send or leave out: all but system messages and
    unpaired tool messages."""
    system_before: list[int] = field(default_factory=list)
    """For each exchange, the tokens of system messages before it."""
    pairing: Pairing = field(default_factory=Pairing)
    """Which tool calls and results lack their partner."""
    memo: dict[Any, Any] = field(default_factory=dict)
    """Results that strategies keep for their next decision. They fill it and keep it small."""

    def add(self, message: Message, tokens: int) -> None:
        """Add one message at the end."""
        position = len(self)
        self.sums.append(self.sums[-1] + tokens)
        self.pairing.add(position, message, self.sums)
        if opens_exchange(message):
            self.optional_before.append(self.optional_upto(position))
            self.system_before.append(self.system_sums[-1])
            self.user_positions.append(position)
        elif message.is_system:
            self.system_sums.append(self.system_sums[-1] + tokens)
            self.system_positions.append(position)

    def __len__(self) -> int:
        return len(self.sums) - 1

    def system_upto(self, size: int) -> int:
        """Tokens of the system messages among the first `size` messages. O(log n)."""
        return self.system_sums[bisect_left(self.system_positions, size)]

    def optional_upto(self, size: int) -> int:
        """Tokens of the first `size` messages, without system messages and unpaired tool messages. O(log n)."""
        return self.sums[size] - self.system_upto(size) - self.pairing.unpaired_tokens(size, self.sums)
