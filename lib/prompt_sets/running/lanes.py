"""A lane to one endpoint: how many requests it takes at once, and how long it wants to be left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL_SECONDS = 0.05
"""How often somebody who waits for a free place looks whether the run was cancelled."""

Wait = Callable[[float], object]
"""Waits so many seconds, or until the run is cancelled."""


class Cancelled(Exception):
    """The run was cancelled while this request waited."""


class Lane:
    """Safe to use from any thread. `wait` waits for a number of seconds, and less if the run is cancelled."""

    def __init__(self, places: int, cancelled: threading.Event, wait: Wait) -> None:
        self.places = places
        self._free = threading.Semaphore(places)
        self._cancelled = cancelled
        self._wait = wait
        self._lock = threading.Lock()
        self._not_before = 0.0

    @property
    def waits(self) -> float:
        """Seconds until it may be asked again; 0 if it may be now."""
        with self._lock:
            return max(0.0, self._not_before - time.monotonic())

    def leave_alone(self, seconds: float) -> None:
        """Let nobody ask for so long: the endpoint said that it had too many requests."""
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def pause(self, seconds: float) -> None:
        """Wait before asking again, while others may ask. Raises Cancelled."""
        self._wait(seconds)
        self._raise_if_cancelled()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place for one request, once the endpoint wants to be asked. Raises Cancelled."""
        while not self._free.acquire(timeout=POLL_SECONDS):
            self._raise_if_cancelled()
        try:
            while (left := self.waits) > 0:
                self._raise_if_cancelled()
                self._wait(left)
            self._raise_if_cancelled()
            yield
        finally:
            self._free.release()

    def _raise_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled
