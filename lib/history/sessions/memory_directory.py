"""Lists, names, pins and deletes the sessions of a store in this process's memory."""

from __future__ import annotations

import math
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lib.history import About, serialization
from lib.history.refusals import being_answered
from lib.history.sessions import Ending, Gone, Parent, SessionPage, SessionQuery, SessionRow, Share, matching, sums
from lib.history.sessions.cursors import make_cursor, read_cursor
from lib.history.spending import SpendingBook
from lib.history.spending.memory import MemoryBook
from lib.history.votes import VoteBook
from lib.history.votes.memory import MemoryVotes
from lib.messages import Message
from lib.turns import LiveTurn, Turn

BIN_SECONDS = 60.0
"""How long a deleted session can be brought back."""


@dataclass(slots=True)
class State:
    """All data of one session. Times are seconds since the epoch, by the store's clock."""

    messages: tuple[Message, ...] = ()
    restored: tuple[Sequence[Message], bytes] = ((), b"")  # and their bytes
    turns: list[Turn] = field(default_factory=list)
    about: About = field(default_factory=About)
    live: LiveTurn | None = None
    heartbeat_at: float = 0.0
    stop: str = ""
    """Id of the turn that was asked to stop."""
    gone: set[str] = field(default_factory=set)
    """Ids of turns that were cleared, discarded or replaced. Their late writes are refused."""
    expires_at: float = 0.0
    active_at: float = 0.0
    overwritten: bool = False
    """Another service wrote the messages."""

    def left(self, now: float) -> float | None:
        """Seconds that the session has left; None for ever."""
        return None if math.isinf(self.expires_at) else self.expires_at - now

    def ended(self, session_id: str, ending: Ending, at: float) -> Gone:
        """What is remembered of the session when it is gone."""
        return Gone(session_id, ending, at, self.about.title, self.about.owner)


class MemoryDirectory(ABC):
    """The SessionDirectory of InMemoryHistory, which inherits from it."""

    _clock: Callable[[], float]
    _lock: threading.RLock

    def __init__(self) -> None:
        self._sessions: dict[str, State] = {}
        self._bin: dict[tuple[str, str], tuple[State, float]] = {}
        self._gone: dict[str, Gone] = {}
        self.spending: SpendingBook = MemoryBook(lambda: self._clock())
        self.votes: VoteBook = MemoryVotes()

    def find(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> SessionPage:
        with self._lock:
            after = read_cursor(cursor)
            ids = sorted(self._alive(query.owner), key=lambda sid: (self._sessions[sid].active_at, sid), reverse=True)
            rest = [sid for sid in ids if (self._sessions[sid].active_at, sid) < after]
            needle, rows, looked = matching.needle_of(query), [], 0
            for session_id in rest:
                looked += 1
                row = self._row(session_id)
                if matching.matches(row, query, self._clock()) and self._holds(row, needle):
                    rows.append(row)
                if len(rows) == limit:
                    break
            more = looked < len(rest)
            following = make_cursor(self._sessions[rest[looked - 1]].active_at, rest[looked - 1]) if more else None
            return SessionPage(tuple(rows), following, looked, len(ids))

    def row(self, session_id: str) -> SessionRow | None:
        with self._lock:
            self._read(session_id)
            return self._row(session_id) if session_id in self._alive() else None

    def gone(self, session_id: str, owner: str | None = None) -> Gone | None:
        with self._lock:
            if session_id in self._alive():
                return None
            found, state = self._gone.get(session_id), self._sessions.get(session_id)
            if state is not None and (state.messages or state.live) and state.expires_at <= self._clock():
                found = state.ended(session_id, "expired", state.expires_at)
            return found if found is None or owner in (None, found.owner) else None

    def rename(self, session_id: str, title: str) -> None:
        named = serialization.title_of(title)
        if not named:
            raise ValueError("a title needs at least one character")
        self._change(session_id, title=named)

    def pin_session(self, session_id: str, pinned: bool) -> None:
        with self._lock:
            state = self._read(session_id)
            state.about = replace(state.about, session_pinned=pinned)

    def pinned_sessions(self, limit: int = 10) -> Sequence[SessionRow]:
        with self._lock:
            rows = [self._row(sid) for sid in self._alive() if self._sessions[sid].about.session_pinned]
            return sorted(rows, key=lambda row: row.last_activity, reverse=True)[:limit]

    def expire(self, session_id: str, seconds: float | None) -> None:
        with self._lock:
            self._refuse_if_answering(session_id)
            state = self._read(session_id)
            state.expires_at = math.inf if seconds is None else self._clock() + max(0.0, seconds)

    def delete(self, session_id: str) -> str:
        with self._lock:
            self._refuse_if_answering(session_id)
            receipt, now = uuid.uuid4().hex, self._clock()
            state = self._read(session_id)
            held = {turn.id for turn in (state.live, *state.turns[-1:]) if turn is not None}
            self._bin = {key: entry for key, entry in self._bin.items() if entry[1] > now}
            if session_id in self._sessions:
                self._bin[session_id, receipt] = (self._sessions.pop(session_id), now + BIN_SECONDS)
                self._sessions[session_id] = State(gone=state.gone | held, expires_at=now + BIN_SECONDS)
                self._gone[session_id] = state.ended(session_id, "deleted", now)
            return receipt

    def undelete(self, session_id: str, receipt: str) -> bool:
        with self._lock:
            state, until = self._bin.get((session_id, receipt), (None, 0.0))
            now = self._read(session_id)
            if state is None or until <= self._clock() or now.messages or now.live or now.about != About():
                return False
            del self._bin[session_id, receipt]
            self._sessions[session_id] = state
            self._gone.pop(session_id, None)
            return True

    def claim(self, session_id: str, owner: str) -> str:
        with self._lock:
            if self._read(session_id).about.owner:
                return self._read(session_id).about.owner
            self._change(session_id, owner=owner)
            return owner

    def set_share(self, session_id: str, share: Share) -> None:
        with self._lock:
            state = self._read(session_id)
            state.about = replace(state.about, share=share)

    def set_parent(self, session_id: str, parent: Parent) -> None:
        self._change(session_id, parent=parent)

    def children(self, session_id: str) -> Sequence[SessionRow]:
        with self._lock:
            rows = [self._row(sid) for sid in self._alive()]
            found = [row for row in rows if row.parent is not None and row.parent.session_id == session_id]
            return sorted(found, key=lambda row: (row.created_at or 0.0, row.session_id))

    def _alive(self, owner: str | None = None) -> list[str]:
        """The ids of the sessions that hold something, of this owner or of all."""
        now = self._clock()
        return [
            session_id
            for session_id, state in self._sessions.items()
            if state.expires_at > now
            and (state.messages or state.live)
            and (owner is None or state.about.owner == owner)
        ]

    def _row(self, session_id: str) -> SessionRow:
        state, now = self._sessions[session_id], self._clock()
        about, value = state.about, self.raw(session_id) or b""
        held = sums.of_turns(state.turns, state.messages, size=len(value))
        live = None if state.live is None else replace(state.live, age=max(0.0, now - state.heartbeat_at))
        imported = sum(each.count for each in about.imports)
        chosen = (str(about.settings.get(name, "")) for name in SETTINGS)
        provider, model, strategy = (part or other for part, other in zip(held.last, chosen, strict=True))
        return SessionRow(
            session_id,
            about.title,
            provider,
            model,
            strategy,
            messages=held.messages,
            turns=held.turns,
            usage=held.usage,
            created_at=about.created_at,
            last_activity=state.active_at,
            expires_in=state.left(now),
            size=len(value),
            origin="service" if state.overwritten else "import" if imported else "here",
            pinned=about.session_pinned,
            turns_with_dropped=held.dropped,
            interrupted=live is not None and live.interrupted,
            stopped=held.stopped,
            parent=about.parent,
            owner=about.owner,
            share=about.share,
        )

    def _holds(self, row: SessionRow, needle: str) -> bool:
        if not needle or needle in row.title.casefold():
            return True
        return matching.holds((self.raw(row.session_id) or b"")[: matching.MOST_BYTES], needle)

    def _change(self, session_id: str, **fields: Any) -> None:
        with self._lock:
            state = self._write(session_id)
            state.about = replace(state.about, **fields)

    def _refuse_if_answering(self, session_id: str) -> None:
        """Raise TurnInProgress while a turn is answered."""
        held = self.live(session_id)
        if held is not None and not held.interrupted:
            raise being_answered()

    @abstractmethod
    def live(self, session_id: str) -> LiveTurn | None:
        """See LiveTurnStore."""

    @abstractmethod
    def raw(self, session_id: str) -> bytes | None:
        """See ConversationStore."""

    @abstractmethod
    def _read(self, session_id: str) -> State:
        """The session's state; an empty one, which is not stored, if there is none."""

    @abstractmethod
    def _write(self, session_id: str) -> State:
        """The session's state, for changing it."""


SETTINGS = ("provider", "model", "strategy")
"""Names of the chat settings that a row shows for a session without turns."""
