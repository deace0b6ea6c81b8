"""Counts function calls, so that tests can say how much work something is without a clock."""

from __future__ import annotations

import sys
from collections.abc import Callable


def calls_during(work: Callable[[], object]) -> int:
    """How many functions, Python's and C's, this thread calls while `work` runs."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls
