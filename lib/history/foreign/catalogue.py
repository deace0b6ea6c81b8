"""Finds the conversations of other libraries by the names of their keys, with SCAN, and remembers them for a moment."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lib.history.foreign import address_of, foreign_id
from lib.history.foreign.access import BATCH, MOST_KEYS, Access, gone, too_large
from lib.history.foreign.readers import Found, Reader
from lib.history.keys import session_of

LOOK_SECONDS = 5.0
"""How long the names of keys are remembered. Values are read anew each time."""
LOOK_TIMES = 10
"""A look that took long is remembered for so many times as long as it took."""
FAMILIES = 16
"""Conversations whose keys are remembered."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the keys of a server found: conversations with their readers, by session id, ordered by format
    and name, and the ids of the sessions that have this app's own key, in order. `is_complete` is False if there were
    more keys than are looked at."""

    found: dict[str, tuple[Reader, Found]]
    own: tuple[str, ...]
    keys: int
    is_complete: bool


class Catalogue:
    """Safe to share between threads. `clock` gives seconds that never go back."""

    def __init__(self, access: Access, readers: Iterable[Reader], clock: Callable[[], float]) -> None:
        self._access = access
        self._readers = {reader.format: reader for reader in readers}
        self._clock = clock
        self._lock = threading.Lock()
        self._last: tuple[float, Look] | None = None  # with the time until which it is used
        self._families: OrderedDict[str, tuple[float, tuple[bytes, ...]]] = OrderedDict()

    def forget(self) -> None:
        """Forget which keys there were."""
        with self._lock:
            self._last = None
            self._families.clear()

    def look(self) -> Look:
        """What the keys of the server tell, looked at a moment ago or now. Raises HistoryUnavailable."""
        with self._lock:
            known = self._last
        if known is not None and self._clock() < known[0]:
            return known[1]
        began = self._clock()
        found: dict[tuple[str, bytes], Found] = {}
        own: set[str] = set()
        looked_at, is_complete = 0, True
        for batch in self._access.batches():
            for key in batch:
                if not self._sort_in(key, found) and (session_id := session_of(key)):
                    own.add(session_id)
            looked_at += len(batch)
            if looked_at > MOST_KEYS:
                is_complete = False
                break
        listed = {foreign_id(*named): (self._readers[named[0]], found[named]) for named in sorted(found)}
        look = Look(listed, tuple(sorted(own)), looked_at, is_complete)
        took = self._clock() - began
        with self._lock:
            self._last = (began + took + max(LOOK_SECONDS, LOOK_TIMES * took), look)
        return look

    def _sort_in(self, key: bytes, found: dict[tuple[str, bytes], Found]) -> bool:
        """Put the key to its conversation. False if it is of no format."""
        for name, reader in self._readers.items():
            session = reader.session_of(key)
            if session is not None:
                known = found.get((name, session))
                if known is None:
                    found[name, session] = Found(session, 1, key, key)
                else:
                    known.add(key)
                return True
        return False

    def find(self, session_id: str) -> tuple[Reader, bytes, tuple[bytes, ...]]:
        """The reader of a conversation, its name, and all its keys in order. Raises ChatError if there is none."""
        address = address_of(session_id)
        if address is None:
            raise gone()
        reader, session = self._readers[address.format], address.key
        if session is None:
            known = self.look().found.get(session_id)
            if known is None:
                raise gone()
            session = known[1].session
        if reader.is_family:
            return reader, session, self._family(session_id, reader, session)
        if reader.session_of(session) != session:  # a key of something else, which is nobody's conversation
            raise gone()
        return reader, session, (session,)

    def _family(self, session_id: str, reader: Reader, session: bytes) -> tuple[bytes, ...]:
        with self._lock:
            known = self._families.get(session_id)
        if known is not None and self._clock() - known[0] < LOOK_SECONDS:
            return known[1]
        keys: set[bytes] = set()
        pattern = re.sub(rb"([\\*?\[\]])", rb"\\\1", session) + b":*"
        for count, batch in enumerate(self._access.batches(pattern), start=1):
            keys.update(key for key in batch if reader.session_of(key) == session)
            if count > MOST_KEYS // BATCH:
                raise too_large()
        if not keys:
            raise gone()
        found = tuple(sorted(keys))
        with self._lock:
            self._families[session_id] = (self._clock(), found)
            self._families.move_to_end(session_id)
            if len(self._families) > FAMILIES:
                self._families.popitem(last=False)
        return found
