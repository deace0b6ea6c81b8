"""Defines TrimOptions, what a person can set for a strategy.

A stored value out of bounds is read as the nearest sensible one, so that every stored session stays readable.
"""

from __future__ import annotations

from dataclasses import dataclass

LOW_MARKS = (0.5, 0.9)
"""Smallest and largest low mark, as shares of the budget. A small one drops more at a time, a large one more often."""


@dataclass(frozen=True, slots=True)
class TrimOptions:
    """The options of all strategies. Each strategy uses its own."""

    keep_first: int = 1
    """How many exchanges at the beginning `head_and_tail` keeps."""
    last_exchanges: int = 10
    """How many exchanges `sliding_window` sends at most, including the one with the newest message."""
    low_mark: float = 0.7
    """The share of the budget down to which `low_water` and `summarize` cut once a request exceeds the budget."""

    @property
    def head(self) -> int:
        return max(0, self.keep_first)

    @property
    def tail(self) -> int:
        return max(1, self.last_exchanges)

    def low(self, budget: int) -> int:
        """The low mark in tokens. Example: TrimOptions().low(1000) -> 700"""
        lowest, highest = LOW_MARKS
        return int(budget * min(highest, max(lowest, self.low_mark)))
