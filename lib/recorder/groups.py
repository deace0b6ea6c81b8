"""Finds the session that a request belongs to: the one whose replies it sends back.

Only a reply proves that a conversation goes on: two people may begin with the same question, and many requests begin
with the same examples. Of several sessions, the one with most of the replies is taken, then the one with the longest
common beginning, then the newest. A request that an earlier one has failed with is a retry. A request that continues an
answer which the server keeps names it.

What is known of each session is kept in memory, for a bounded number of sessions and replies, and looked up in the
store where it is missing, so that a restart forgets nothing.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lib.errors import ChatError
from lib.history import HistoryStore
from lib.messages import Message
from lib.recorder.keys import key_of
from lib.recorder.requests import AppRequest
from lib.turns import Turn

SESSIONS, REPLIES = 512, 2_000
"""Sessions kept in memory, and replies of each."""
LOOKED_AT = 50
"""Newest sessions of the store that are looked at when no session in memory fits."""
OPENING = 64
"""Messages of a session's beginning that are compared."""


@dataclass(slots=True)
class KnownSession:
    """What is remembered of a session."""

    opening: tuple[bytes, ...] = ()
    replies: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    answers: deque[str] = field(default_factory=lambda: deque(maxlen=REPLIES))
    """What servers called their answers, for requests that continue one."""
    unanswered: bytes = b""
    """The digest of the newest request, if it got no reply."""

    def add_replies(self, keys: Iterable[bytes]) -> None:
        """Remember these, and forget the oldest where there are too many."""
        self.replies |= dict.fromkeys(keys)
        while len(self.replies) > REPLIES:
            self.replies.popitem(last=False)


class SessionGroups:
    """The recorded sessions. Safe to share between threads."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: OrderedDict[str, KnownSession] = OrderedDict()
        self._others: OrderedDict[str, float] = OrderedDict()
        """Sessions of the store that were not recorded, or not known better, by their last activity."""

    def find(self, request: AppRequest) -> str | None:
        """The session that this request continues; None if it begins a new one."""
        with self._lock:
            found = self._best(request)
        if found is not None or not _continues_something(request):
            return found
        self._look_in_store()
        with self._lock:
            return self._best(request)

    def remember(
        self, session_id: str, request: AppRequest, history: Sequence[Message], replies: Iterable[Message], answer: str
    ) -> None:
        """A turn was stored, with these replies. `history` is what was stored before them."""
        with self._lock:
            known = self._known.setdefault(session_id, KnownSession())
            self._known.move_to_end(session_id)
            known.opening = known.opening or _opening(history)
            keys = [key_of(reply) for reply in replies]
            known.add_replies(keys)
            known.answers.extend([answer] if answer else [])
            known.unanswered = b"" if keys else digest_of(request)
            while len(self._known) > SESSIONS:
                self._known.popitem(last=False)

    def forget(self, session_id: str) -> None:
        """The session was cleared."""
        with self._lock:
            self._known.pop(session_id, None)

    def _best(self, request: AppRequest) -> str | None:
        keys = [each.key for each in request.messages]
        said = {each.key for each in request.messages if each.message.role == "assistant"}
        digest, best, session_id = digest_of(request), (0, 0), None
        for name, known in self._known.items():  # the newest last, so that it wins where two fit alike
            if request.previous_id is not None:
                if request.previous_id in known.answers:
                    return name
                continue
            hits = len(said & known.replies.keys())
            retried = known.unanswered == digest
            if not hits and not retried:
                continue
            score = (len(keys) if retried else hits, _common(keys, known.opening))
            if score >= best:
                best, session_id = score, name
        return session_id

    def _look_in_store(self) -> None:
        """Learn the newest sessions of the store that are not known. A session that cannot be read is passed over."""
        for entry in reversed(self._store.sessions(LOOKED_AT)):
            with self._lock:
                seen = entry.session_id in self._known or self._others.get(entry.session_id) == entry.last_activity
                self._others[entry.session_id] = entry.last_activity
                if len(self._others) > 4 * LOOKED_AT:
                    self._others.popitem(last=False)
            if seen:
                continue
            try:
                known = _learn(self._store.load(entry.session_id), self._store.turns(entry.session_id))
            except ChatError:
                continue
            if known is not None:
                with self._lock:
                    self._known.setdefault(entry.session_id, known)


def digest_of(request: AppRequest) -> bytes:
    """A digest of a request's messages and instructions."""
    digest = hashlib.blake2b((request.system_prompt or "").encode(errors="replace"), digest_size=16)
    for each in request.messages:
        digest.update(each.key)
    return digest.digest()


def _continues_something(request: AppRequest) -> bool:
    """Whether a request may go on with a session: a first question cannot."""
    return request.previous_id is not None or any(each.message.role == "assistant" for each in request.messages)


def _learn(history: Sequence[Message], turns: Sequence[Turn]) -> KnownSession | None:
    """What is to be remembered of a stored session; None if nothing of it was recorded."""
    known, is_recorded = KnownSession(_opening(history)), False
    for turn in turns:
        if turn.recorded is None or turn.plan is None:
            continue
        is_recorded = True
        first = turn.plan.stored + 1
        known.add_replies(key_of(history[at]) for at in range(first, min(first + turn.recorded.replies, len(history))))
        if turn.recorded.response_id:
            known.answers.append(turn.recorded.response_id)
    return known if is_recorded else None


def _opening(history: Sequence[Message]) -> tuple[bytes, ...]:
    return tuple(key_of(history[at]) for at in range(min(OPENING, len(history))))


def _common(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """How many keys two sequences share at the beginning."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
