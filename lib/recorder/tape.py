"""A copy of one request and its answer on the way, from the event loop that passes the bytes to the thread that reads
them.

Nothing here waits: the pass-through puts pieces on the tape and goes on.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lib.settings import Endpoint

Ending = Literal["complete", "left", "broken", "unreachable", "stopped"]
"""How the pass-through ended: the answer was passed on in full, the app closed the connection, the server broke off,
the server was not reached, or a person stopped it on a page."""
MOST_WAITING = 67_108_864
"""Bytes that may wait to be read. What is more is passed on and not recorded."""


@dataclass(frozen=True, slots=True)
class Began:
    """The answer's status and headers (lower-case names)."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of the answer."""

    how: Ending
    what: str = ""


@dataclass(slots=True)
class Tape:
    """One request on its way. Times are seconds since the epoch, or by the monotonic clock where the name says so."""

    path: str
    url: str
    endpoint: Endpoint
    data: bytes
    secrets: tuple[str, ...] = ()
    session: str = ""
    """The session that the app named."""
    owner: str = ""
    """The id of the person whose app sent it; empty where there is one person only."""
    stop: Callable[[], object] = lambda: None
    """Ends the pass-through. May be called in any thread."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    started_at: float = field(default_factory=time.time)
    begun_monotonic: float = field(default_factory=time.monotonic)
    first_monotonic: float | None = None
    ended_monotonic: float | None = None
    events: queue.SimpleQueue[Began | bytes | Ended] = field(default_factory=queue.SimpleQueue)
    moved: threading.Event = field(default_factory=threading.Event)
    """Set as soon as the first bytes of the answer have been passed on, or it ended."""
    overrun: bool = False
    _waiting: int = 0

    def began(self, status: int, headers: Mapping[str, str]) -> None:
        """The answer begins."""
        self.events.put(Began(status, headers))

    def piece(self, data: bytes) -> None:
        """These bytes were passed on."""
        if self.first_monotonic is None:
            self.first_monotonic = time.monotonic()
            self.moved.set()
        if self.overrun or self._waiting + len(data) > MOST_WAITING:
            self.overrun = True
            return
        self._waiting += len(data)
        self.events.put(data)

    def read(self, data: bytes) -> None:
        """These bytes were read from the tape. Called by the reading thread; a lost update only makes it stricter."""
        self._waiting -= len(data)

    def ended(self, how: Ending, what: str = "") -> None:
        """Nothing more comes."""
        self.ended_monotonic = time.monotonic()
        self.events.put(Ended(how, what))
        self.moved.set()

    @property
    def first_token_ms(self) -> float | None:
        """Milliseconds until the first bytes of the answer's body."""
        return None if self.first_monotonic is None else (self.first_monotonic - self.begun_monotonic) * 1000

    @property
    def duration_ms(self) -> float | None:
        """Milliseconds until the end."""
        return None if self.ended_monotonic is None else (self.ended_monotonic - self.begun_monotonic) * 1000
