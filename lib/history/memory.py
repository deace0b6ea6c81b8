"""InMemoryHistory: the source document's in-memory session store, for development. Lost when the app restarts.

The rule: it keeps every promise of lib/history/__init__.py but lasting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lib.errors import TurnInProgress, TurnLost
from lib.history import About, SessionSummary, Signal, valid_session_id
from lib.messages import Message
from lib.turns import LiveTurn, Turn

TITLE_CHARACTERS = 80


@dataclass(slots=True)
class State:
    """Everything of one session. `expires_at` and `active_at` are seconds by the store's clock."""

    messages: list[Message] = field(default_factory=list)
    snapshot: tuple[Message, ...] = ()
    turns: list[Turn] = field(default_factory=list)
    about: About = field(default_factory=About)
    live: LiveTurn | None = None
    beat_at: float = 0.0
    stop: str = ""
    expires_at: float = 0.0
    active_at: float = 0.0


class InMemoryHistory:
    """A HistoryStore in this process."""

    note = "History is kept in memory (WINDOWSEAT_STORE=memory): it is lost when the app restarts."

    def __init__(self, ttl_seconds: int, clock: Callable[[], float] = time.time) -> None:
        self._ttl = ttl_seconds
        self._clock = clock
        self._lock = threading.RLock()
        self._sessions: dict[str, State] = {}

    def ping(self) -> None:
        return None

    def load(self, session_id: str) -> Sequence[Message]:
        with self._lock:
            state = self._read(session_id)
            if len(state.snapshot) != len(state.messages):
                state.snapshot = tuple(state.messages)
            return state.snapshot

    def begin(self, session_id: str, live: LiveTurn, *, instead_of: str | None = None) -> None:
        with self._lock:
            held = self.live(session_id)
            if held is not None and held.interrupted and held.id != instead_of:
                raise TurnInProgress(
                    "An earlier message of this chat was not answered and waits for your decision.",
                    next_step="Retry, keep, edit or discard it first, then send again.",
                )
            if held is not None and not held.interrupted:
                raise TurnInProgress("A message of this chat is already being answered.")
            state = self._write(session_id)
            state.live, state.beat_at, state.stop = live, self._clock(), ""
            title = state.about.title or " ".join(live.prompt[:1000].split())[:TITLE_CHARACTERS]
            created = state.about.created_at or live.started_at
            state.about = replace(state.about, title=title, created_at=created)
            state.active_at = self._clock()

    def live(self, session_id: str) -> LiveTurn | None:
        with self._lock:
            state = self._read(session_id)
            return None if state.live is None else replace(state.live, age=self._clock() - state.beat_at)

    def beat(self, session_id: str, live: LiveTurn) -> Signal:
        with self._lock:
            state = self._owned(session_id, live.id)
            state.live, state.beat_at = live, self._clock()
            return "stop" if state.stop == live.id else "ok"

    def request_stop(self, session_id: str, live_id: str) -> None:
        with self._lock:
            state = self._read(session_id)
            if state.live is not None and state.live.id == live_id:
                self._write(session_id).stop = live_id

    def commit(self, session_id: str, live_id: str, messages: Sequence[Message], turn: Turn) -> None:
        with self._lock:
            state = self._owned(session_id, live_id)
            state.messages.extend(messages)
            state.turns.append(replace(turn, number=len(state.turns) + 1))
            if turn.replaces is not None:
                state.about = replace(state.about, muted=state.about.muted | {turn.replaces})
            state.live, state.stop, state.active_at = None, "", self._clock()

    def discard(self, session_id: str, live_id: str) -> None:
        with self._lock:
            state = self._read(session_id)
            if state.live is not None and state.live.id == live_id:
                self._write(session_id).live = None

    def clear(self, session_id: str) -> None:
        with self._lock:
            self._sessions.pop(session_id, None)

    def turns(self, session_id: str, newest: int | None = None) -> list[Turn]:
        with self._lock:
            turns = self._read(session_id).turns
            return turns[-newest:] if newest else list(turns)

    def turn(self, session_id: str, number: int) -> Turn | None:
        with self._lock:
            turns = self._read(session_id).turns
            return turns[number - 1] if 1 <= number <= len(turns) else None

    def about(self, session_id: str) -> About:
        with self._lock:
            return self._read(session_id).about

    def remember(self, session_id: str, settings: Mapping[str, Any]) -> None:
        with self._lock:
            state = self._write(session_id)
            state.about = replace(state.about, settings=dict(settings))

    def sessions(self, limit: int) -> list[SessionSummary]:
        with self._lock:
            now = self._clock()
            alive = [
                SessionSummary(session_id, state.about.title, state.active_at, state.expires_at - now)
                for session_id, state in self._sessions.items()
                if state.expires_at > now and (state.messages or state.live)
            ]
            return sorted(alive, key=lambda entry: entry.last_activity, reverse=True)[:limit]

    def expires_in(self, session_id: str) -> float | None:
        with self._lock:
            state = self._read(session_id)
            return state.expires_at - self._clock() if state.messages else None

    def raw(self, session_id: str) -> bytes | None:
        from lib.history.wire import dump_messages

        messages = self.load(session_id)
        return f"[{dump_messages(messages)}]".encode() if messages else None

    def close(self) -> None:
        with self._lock:
            self._sessions.clear()

    def _read(self, session_id: str) -> State:
        """The session's state; an empty one, not kept, where there is none (or no longer)."""
        if not valid_session_id(session_id):
            raise ValueError(f"{session_id!r} cannot be a session id")
        state = self._sessions.get(session_id)
        return state if state is not None and state.expires_at > self._clock() else State()

    def _write(self, session_id: str) -> State:
        """The session's state to change; its time to live begins anew."""
        state = self._sessions[session_id] = self._read(session_id)
        state.expires_at = self._clock() + self._ttl
        return state

    def _owned(self, session_id: str, live_id: str) -> State:
        held = self._read(session_id).live
        if held is None or held.id != live_id:
            raise TurnLost("The turn was cleared or discarded.")
        return self._write(session_id)
