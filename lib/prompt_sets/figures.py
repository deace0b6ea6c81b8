"""The statistics of prompt runs: intervals of a pass rate and of a time, and whether two models can be told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution, for intervals of 95 %."""
ALPHA = 0.05
"""How often two models that are equally good may be called different."""
RESAMPLES = 2_000


class Interval(NamedTuple):
    """An interval of 95 %."""

    low: float
    high: float


def wilson(passed: int, total: int) -> Interval:
    """The Wilson score interval of a rate, as parts of 1; from 0 to 1 for a total of 0.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927. Unlike the usual
    interval it keeps its promise for few prompts and for rates near 0 and 1.
    Example: wilson(43, 50) -> (0.738, 0.930)
    """
    if not total:
        return Interval(0.0, 1.0)
    rate = passed / total
    middle = rate + Z**2 / (2 * total)
    spread = Z * math.sqrt(rate * (1 - rate) / total + Z**2 / (4 * total**2))
    scale = 1 + Z**2 / total
    return Interval(max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))


def mcnemar(first_only: int, second_only: int) -> float:
    """The p-value of McNemar's exact test: how likely a difference at least as large is between equally good models.

    Only prompts that exactly one of two models passed say anything; each is a fair coin if both are equally good.
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions", 1947.
    Example: mcnemar(1, 9) -> 0.0215
    """
    total, fewer = first_only + second_only, min(first_only, second_only)
    if not total:
        return 1.0
    ways = sum(math.comb(total, count) for count in range(fewer + 1))
    return float(min(1.0, 2 * ways / 2**total))


def holm(values: Sequence[float]) -> list[bool]:
    """Which of several p-values hold when all are looked at together (S. Holm, 1979). Example: [0.01, 0.04, 0.03] ->
    [True, False, False]"""
    held = [False] * len(values)
    for place, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if values[index] > ALPHA / (len(values) - place):
            break
        held[index] = True
    return held


def mean_interval(values: Sequence[float]) -> Interval | None:
    """The interval of a mean, from resampling; None for fewer than two values. The same values always give the same.

    Times are skewed, so an interval that is even on both sides would be wrong for them.
    """
    if len(values) < 2:
        return None
    import numpy as np

    generator = np.random.default_rng(0)
    given = np.asarray(values, dtype=float)
    means = given[generator.integers(0, len(given), (RESAMPLES, len(given)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(low), float(high))
