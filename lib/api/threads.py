"""Runs blocking calls for the HTTP routes in threads that are none of those with which Streamlit serves files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

import anyio
import anyio.to_thread

FOLLOWERS, CALLS = 64, 16
"""Threads at most, for waiting on turns and for everything else. Where more is asked for, requests wait a little."""

T = TypeVar("T")


class Threads:
    """The threads of the HTTP routes. They are started when they are needed."""

    def __init__(self) -> None:
        self._calls, self._followers = anyio.CapacityLimiter(CALLS), anyio.CapacityLimiter(FOLLOWERS)

    async def run(self, call: Callable[[], T]) -> T:
        """The result of a short call, such as one to the store."""
        return await anyio.to_thread.run_sync(call, limiter=self._calls)

    async def each(self, values: Iterator[T]) -> AsyncIterator[T]:
        """The values of an iterator that waits for each of them. A thread is taken for one value at a time."""
        end = object()
        while (value := await anyio.to_thread.run_sync(_next, values, end, limiter=self._followers)) is not end:
            yield value


def _next(values: Iterator[Any], end: object) -> Any:
    return next(values, end)
