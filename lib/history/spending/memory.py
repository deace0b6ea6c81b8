"""A spending book in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lib.history.spending import HOLD_SECONDS, Balance


@dataclass(slots=True)
class _Account:
    spent: int = 0
    holds: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Amount, and when it counts as spent."""


class MemoryBook:
    """A SpendingBook. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}
        self._caps: dict[str, int] = {}

    def hold(self, account: str, hold_id: str, amount: int, cap: int | None, seed: int = 0) -> Balance:
        with self._lock:
            kept = self._accounts.setdefault(account, _Account(seed))
            before = self._balance(kept, without=hold_id)
            if cap is not None and before.spent + before.held + amount > cap:
                return Balance(before.spent, before.held, accepted=False)
            kept.holds[hold_id] = (amount, self._clock() + HOLD_SECONDS)
            return before

    def settle(self, account: str, hold_id: str, amount: int) -> None:
        with self._lock:
            kept = self._accounts.get(account)
            if kept is not None and kept.holds.pop(hold_id, None) is not None:
                kept.spent += amount

    def balance(self, account: str) -> Balance:
        with self._lock:
            kept = self._accounts.get(account)
            return Balance() if kept is None else self._balance(kept)

    def _balance(self, kept: _Account, without: str = "") -> Balance:
        now = self._clock()
        for hold_id in [each for each, (_, until) in kept.holds.items() if until < now]:
            kept.spent += kept.holds.pop(hold_id)[0]
        return Balance(kept.spent, sum(amount for each, (amount, _) in kept.holds.items() if each != without))

    def cap(self, account: str) -> int | None:
        with self._lock:
            return self._caps.get(account)

    def set_cap(self, account: str, amount: int | None) -> None:
        with self._lock:
            if amount is None:
                self._caps.pop(account, None)
            else:
                self._caps[account] = amount
