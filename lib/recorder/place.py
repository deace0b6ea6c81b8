"""Chooses the session of a recorded request, places its messages there, and stores the turn."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from lib.chat_settings import ChatSettings
from lib.errors import ChatError, TurnInProgress
from lib.history import HistoryStore
from lib.history.sessions import Parent
from lib.messages import Message
from lib.recorder.alignment import Alignment, Stored, align, append_all
from lib.recorder.groups import SessionGroups
from lib.recorder.keys import key_of
from lib.recorder.rebuild import elements_as_sent
from lib.recorder.replies.answer import Answer
from lib.recorder.requests import AppRequest
from lib.recorder.turn_record import Placed
from lib.settings import Endpoint
from lib.tokens import TokenCounter
from lib.turns import LiveTurn, Turn

VIA = "record"
"""What the live turn of a recorded request says about who began it."""
REMEMBERED = 256
"""Sessions of which it is remembered how messages were sent last, and which have a lock."""


class Parts(Protocol):
    """What recording needs of the app."""

    def store(self, owner: str) -> HistoryStore:
        """The store as this person may use it; empty where there is one person only. Raises ChatError."""

    def settings(self, endpoint: Endpoint, model: str) -> ChatSettings:
        """The settings of a new session with this model."""

    def counter(self, settings: ChatSettings) -> TokenCounter:
        """The counter for these settings. May ask a server. Raises ProviderError."""


class Placing:
    """One per person, shared by the threads that record. Only this person's sessions are gone on with."""

    def __init__(self, parts: Parts, owner: str = "") -> None:
        self.store = parts.store(owner)
        self.settings = parts.settings
        self.counter = parts.counter
        self._groups = SessionGroups(self.store)
        self._lock = threading.Lock()
        self._locks: OrderedDict[str, threading.RLock] = OrderedDict()
        self._as_sent: OrderedDict[str, tuple[str, dict[int, tuple[Any, ...]]]] = OrderedDict()
        self._parents: OrderedDict[str, tuple[str, int]] = OrderedDict()

    @contextmanager
    def one_at_a_time(self, session_id: str) -> Iterator[None]:
        """Holds the session against the other threads of this process."""
        with self._lock:
            lock = self._locks.setdefault(session_id, threading.RLock())
            self._locks.move_to_end(session_id)
            _shorten(self._locks)
        with lock:
            yield

    def session_for(self, request: AppRequest, named: str) -> str:
        """The session that the app named or that the request continues, or a new one."""
        if named:
            return named
        found = self._groups.find(request)
        if found is None:
            return str(uuid.uuid4())
        if self._aligned(request, self.store.load(found)) is not None:
            return found
        return self.beside(found, request)

    def beside(self, session_id: str, request: AppRequest | None = None) -> str:
        """A new session that says which one it would have continued."""
        history = self.store.load(session_id)
        shared = 0
        for message, each in zip(history, request.messages if request else (), strict=False):
            if key_of(message) != each.key:
                break
            shared += 1
        new = str(uuid.uuid4())
        with self._lock:
            self._parents[new] = (session_id, shared)
            _shorten(self._parents)
        return new

    def begin(self, session_id: str, live: LiveTurn) -> bool:
        """Store the live turn; False if another one of the session is live.

        One that an earlier process recorded and left behind is replaced, because nobody can decide about it.
        """
        held = self.store.live(session_id)
        left_behind = held is not None and held.interrupted and held.via == VIA and held.id != live.id
        try:
            self.store.begin(session_id, live, instead_of=held.id if held is not None and left_behind else None)
        except TurnInProgress:
            return False
        return True

    def waits_for_a_person(self, session_id: str) -> bool:
        """Whether an interrupted turn of the session waits for a decision."""
        held = self.store.live(session_id)
        return held is not None and held.interrupted

    def place(self, request: AppRequest, session_id: str, named: str, cleaned: bool) -> tuple[Placed, str]:
        """The request's place in the session, or in a new one where one history cannot show it; and that session."""
        history = self.store.load(session_id)
        alignment = self._aligned(request, history)
        if alignment is None and named:  # the app says that it belongs here, whatever it holds
            alignment = append_all(request.messages, len(history))
        if alignment is None:
            session_id, history = self.beside(session_id, request), ()
            alignment = append_all(request.messages, 0)
        parent, shared = self._parents.get(session_id, ("", 0))
        as_sent = self._last_sent(session_id) if history else {}
        return Placed(request, alignment, history, as_sent, parent, shared, cleaned), session_id

    def commit(self, session_id: str, placed: Placed, turn: Turn, answer: Answer, settings: ChatSettings) -> None:
        """Store the turn and its messages, and remember what the next request will be compared with."""
        messages: Sequence[Message] = [*placed.new, *answer.messages]
        self.store.commit(session_id, turn.id, messages, turn)
        if not self.store.about(session_id).settings:
            self.store.save_settings(session_id, settings.to_dict())
        if placed.parent and not placed.history:
            self.store.set_parent(session_id, Parent(placed.parent, placed.parent_messages, "app"))
        known = {**placed.as_sent}
        assert turn.recorded is not None
        for index, elements in turn.recorded.as_sent.items():
            known.pop(index, None)
            if elements is not None:
                known[index] = elements
        with self._lock:
            self._as_sent[session_id] = (turn.id, known)
            self._as_sent.move_to_end(session_id)
            _shorten(self._as_sent)
        history = placed.history or placed.new
        self._groups.remember(session_id, placed.request, history, answer.messages, answer.response_id)

    def number_of(self, session_id: str, turn: Turn) -> int | None:
        """The number that the store gave a turn; None if others have come since, or the store does not answer."""
        try:
            newest = self.store.turns(session_id, 1)
        except ChatError:
            return None
        return newest[0].number if newest and newest[0].id == turn.id else None

    def _aligned(self, request: AppRequest, history: Sequence[Message]) -> Alignment | None:
        """Where the request's messages are in this history."""
        if not history or request.previous_id is not None:
            return append_all(request.messages, len(history))
        return align(request.messages, [Stored(key_of(message), message.role) for message in history])

    def _last_sent(self, session_id: str) -> dict[int, tuple[Any, ...]]:
        """How the messages of a session were sent last, where that is not as they are stored."""
        newest = self.store.turns(session_id, 1)
        if not newest:
            return {}
        with self._lock:
            known = self._as_sent.get(session_id)
        if known is not None and known[0] == newest[0].id:
            return known[1]
        return elements_as_sent(newest[0], self.store.turns(session_id))


def _shorten(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)
