"""The recorder of this process: whether it is on, where requests go, and what passed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from lib.recorder.entries import Entries, Entry
from lib.recorder.place import Parts, Placing
from lib.recorder.tape import Tape
from lib.recorder.worker import Worker
from lib.settings import Endpoint

MOST_AT_ONCE = 64
"""Requests that are recorded at the same time. More of them are passed on and not recorded."""
MOST_PEOPLE = 256
"""People of whom it is kept in memory what they sent last."""
LOCAL = "local"
T = TypeVar("T")


class Recorder:
    """One per app process. `on` and `targets` may be changed at any time."""

    def __init__(self, parts: Parts, *, on: bool = False, targets: Mapping[str, str] | None = None) -> None:
        self.on = on
        self.targets = dict(targets or {})
        """The endpoint that requests go to unless they name one: by "openai" and "anthropic", the kind of a path."""
        self.entries = Entries()
        """Everybody's requests."""
        self._parts = parts
        self._placings: OrderedDict[str, Placing] = OrderedDict()
        self._entries: OrderedDict[str, Entries] = OrderedDict()
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._closing = threading.Event()
        self._under_way: dict[str, tuple[Tape, threading.Event]] = {}

    def target(self, kind: str, endpoints: Mapping[str, Endpoint]) -> Endpoint:
        """The endpoint for paths of this kind: the chosen one if it speaks the protocol, else the model here."""
        chosen = endpoints.get(self.targets.get(kind, LOCAL))
        return chosen if chosen is not None and takes(chosen, kind) else endpoints[LOCAL]

    def start(self, tape: Tape) -> None:
        """Record a request from now on. Returns at once, and never raises for what the store does."""
        entry = Entry(tape.id, tape.started_at, tape.path, tape.endpoint.name)
        if not self._room.acquire(blocking=False):
            note = f"Passed on, and not recorded: {MOST_AT_ONCE} requests are being recorded already."
            self._put(tape.owner, replace(entry, state="passed on", note=note))
            return
        self._put(tape.owner, entry)
        with self._lock:
            earlier = [done for other, done in self._under_way.values() if other.ended_monotonic is not None]
            self._under_way[tape.id] = (tape, threading.Event())
        threading.Thread(target=self._record, args=(tape, earlier), daemon=True, name=f"record-{tape.id[:8]}").start()

    def close(self) -> None:
        """The app ends: requests on their way are stored as far as they came."""
        self._closing.set()

    def _record(self, tape: Tape, earlier: Sequence[threading.Event]) -> None:
        """Record one request. Those that were answered before it was sent come first: it may go on with one of them."""
        try:
            place, report = partial(self._place, tape.owner), partial(self._put, tape.owner)
            Worker(tape, place, report, self._closing, earlier).run()
        finally:
            with self._lock:
                self._under_way.pop(tape.id)[1].set()
            self._room.release()

    def entries_of(self, owner: str) -> Entries:
        """One person's requests."""
        with self._lock:
            return _kept(self._entries, owner, Entries)

    def _put(self, owner: str, entry: Entry) -> None:
        self.entries.put(entry)
        if owner:
            self.entries_of(owner).put(entry)

    def _place(self, owner: str) -> Placing:
        """The placing in this person's sessions. Raises ChatError if the store cannot be opened."""
        with self._lock:
            return _kept(self._placings, owner, lambda: Placing(self._parts, owner))


def _kept(values: OrderedDict[str, T], owner: str, make: Callable[[], T]) -> T:
    """This person's value. The one of the person who used theirs longest ago makes room."""
    if owner not in values:
        values[owner] = make()
    values.move_to_end(owner)
    if len(values) > MOST_PEOPLE:
        values.popitem(last=False)
    return values[owner]


def takes(endpoint: Endpoint, kind: str) -> bool:
    """Whether an endpoint speaks the protocol of these paths. The model on this machine speaks all of them."""
    return endpoint.kind in (kind, LOCAL)
