"""What a person may choose about a strategy: TrimOptions.

The rule: any stored value is taken, and one out of bounds is read as the nearest that makes sense, so that no stored session
becomes unreadable. It leaves out the choice of the strategy itself.
"""

from __future__ import annotations

from dataclasses import dataclass

LOW_MARKS = (0.5, 0.9)
"""Parts of the budget between which the low mark may lie. Lower forgets more at once, higher does it more often."""


@dataclass(frozen=True, slots=True)
class TrimOptions:
    """Choices for the strategies that have one."""

    keep_first: int = 1
    """Exchanges at the beginning that `head_and_tail` keeps."""
    last_exchanges: int = 10
    """Exchanges that `sliding_window` sends at most, the one with the newest message included."""
    low_mark: float = 0.7
    """Down to which part of the budget `low_water` and `summarize` leave out once it is passed."""

    @property
    def head(self) -> int:
        return max(0, self.keep_first)

    @property
    def tail(self) -> int:
        return max(1, self.last_exchanges)

    def low(self, budget: int) -> int:
        """The low mark in tokens. Example: TrimOptions().low(1000) -> 700"""
        least, most = LOW_MARKS
        return int(budget * min(most, max(least, self.low_mark)))
