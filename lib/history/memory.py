"""A history store in this process's memory, for development. Everything is lost when the app restarts.

Apart from that it keeps every promise in lib/history/__init__.py, with one lock and plain Python values.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lib.context.candidates import Summary
from lib.history import About, Import, Mark, Recording, SessionSummary, Signal, serialization, valid_session_id
from lib.history.prompt_sets import RunStore
from lib.history.prompt_sets.memory import MemoryRuns
from lib.history.refusals import being_answered, checked_index, checked_messages, interrupted, occupied, turn_lost
from lib.history.sessions import restoring
from lib.history.sessions.memory_directory import MemoryDirectory, State
from lib.messages import Message
from lib.tokens.counted import text_of
from lib.turns import LiveTurn, Turn

MOST_GONE = 10_000
"""Sessions whose end is remembered."""


class InMemoryHistory(MemoryDirectory):
    """A HistoryStore in this process. `clock` gives seconds since the epoch."""

    note = "Kept in memory: lost when the app restarts."

    def __init__(self, ttl_seconds: int, clock: Callable[[], float] = time.time) -> None:
        self._ttl = ttl_seconds
        self._clock = clock
        self._lock = threading.RLock()
        self.prompt_runs: RunStore = MemoryRuns(clock)
        super().__init__()

    def ping(self) -> None:
        return None

    def load(self, session_id: str) -> Sequence[Message]:
        return self._read(session_id).messages

    def begin(self, session_id: str, live: LiveTurn, *, instead_of: str | None = None) -> None:
        with self._lock:
            held = self.live(session_id)
            if held is not None and held.id != live.id and not (held.interrupted and held.id == instead_of):
                raise interrupted() if held.interrupted else being_answered()
            state = self._write(session_id)
            if held is not None and held.id != live.id:
                state.gone.add(held.id)
            state.live, state.heartbeat_at = live, self._clock()
            self._name(state, live.prompt)

    def live(self, session_id: str) -> LiveTurn | None:
        with self._lock:
            state = self._read(session_id)
            return None if state.live is None else replace(state.live, age=max(0.0, self._clock() - state.heartbeat_at))

    def heartbeat(self, session_id: str, live: LiveTurn) -> Signal:
        with self._lock:
            if any(turn.id == live.id for turn in self._owned(session_id, live.id).turns[-1:]):
                raise turn_lost()
            state = self._write(session_id)
            state.live, state.heartbeat_at = live, self._clock()
            return "stop" if state.stop == live.id else "ok"

    def request_stop(self, session_id: str, live_id: str) -> None:
        with self._lock:
            held = self._read(session_id).live
            if held is not None and held.id == live_id:
                self._write(session_id).stop = live_id

    def commit(self, session_id: str, live_id: str, messages: Sequence[Message], turn: Turn) -> None:
        with self._lock:
            state = self._owned(session_id, live_id)
            if state.live is None and any(known.id == turn.id for known in state.turns):
                return  # this commit arrived before
            state = self._write(session_id)
            state.messages += tuple(messages)
            state.turns.append(replace(turn, number=1 + sum(last.number for last in state.turns[-1:])))
            if turn.replaces is not None:
                state.about = replace(state.about, muted=state.about.muted | {turn.replaces})
            state.live, state.stop, state.active_at = None, "", self._clock()

    def discard(self, session_id: str, live_id: str) -> None:
        with self._lock:
            held = self._read(session_id).live
            if held is None or held.id != live_id:
                return
            state = self._write(session_id)
            state.live = None
            state.gone.add(live_id)
            if not state.messages:  # the session was named after the discarded prompt
                state.about = replace(state.about, title="", created_at=None)

    def import_messages(self, session_id: str, messages: Sequence[Message], source: str) -> None:
        if not checked_messages(messages):
            return
        with self._lock:
            self._refuse_if_live(session_id)
            state = self._write(session_id)
            record = Import(len(state.messages), len(messages), source, self._clock())
            state.messages += tuple(messages)
            state.about = replace(state.about, imports=(*state.about.imports, record))
            self._name(state, next((text_of(message) for message in messages if message.role == "user"), ""))

    def restore(self, session_id: str, recording: Recording) -> None:
        if not recording.messages:
            raise ValueError("a recording without messages")
        with self._lock:
            self._refuse_if_live(session_id)
            before = self._read(session_id)
            if before.messages or before.turns:
                raise occupied()
            value, state = restoring.value_of(recording), self._write(session_id)
            state.messages = tuple(recording.messages)
            state.restored = (state.messages, value)
            state.turns = restoring.numbered(recording.turns)
            state.about = restoring.about_of(recording, state.about, self._clock())
            state.active_at = self._clock()

    def clear(self, session_id: str) -> None:
        with self._lock:
            old = self._write(session_id)
            held = {turn.id for turn in (old.live, *old.turns[-1:]) if turn is not None}
            emptied = State(gone=old.gone | held, expires_at=self._clock() + self._ttl)
            emptied.about = About(owner=old.about.owner, share=old.about.share)
            self._sessions[session_id] = emptied
            if old.messages or old.live:
                self._gone[session_id] = old.ended(session_id, "deleted", self._clock())

    def turns(self, session_id: str, newest: int | None = None) -> list[Turn]:
        with self._lock:
            turns = self._read(session_id).turns
            return list(turns) if newest is None else turns[max(0, len(turns) - max(0, newest)) :]

    def turn(self, session_id: str, number: int) -> Turn | None:
        return next((turn for turn in self.turns(session_id) if turn.number == number), None)

    def about(self, session_id: str) -> About:
        return self._read(session_id).about

    def save_settings(self, session_id: str, settings: Mapping[str, Any]) -> None:
        with self._lock:
            state = self._write(session_id)
            state.about = replace(state.about, settings=dict(settings))

    def mark(self, session_id: str, index: int, mark: Mark | None) -> None:
        with self._lock:
            at = {checked_index(index)}
            state = self._write(session_id)
            marks = {
                name: (getattr(state.about, name) - at) | (at if mark == name else set())
                for name in ("pinned", "muted")
            }
            state.about = replace(state.about, **marks)

    def keep_summaries(self, session_id: str, summaries: Sequence[Summary], live_id: str | None = None) -> None:
        with self._lock:
            held = self._read(session_id).live
            if live_id is not None and (held is None or held.id != live_id):
                raise turn_lost()
            state = self._write(session_id)
            state.about = replace(state.about, summaries=tuple(summaries))

    def keep_handles(self, session_id: str, handles: Mapping[str, Any]) -> None:
        with self._lock:
            state = self._write(session_id)
            state.about = replace(state.about, handles=dict(handles))

    def sessions(self, limit: int) -> list[SessionSummary]:
        with self._lock:
            now = self._clock()
            alive = [
                SessionSummary(session_id, state.about.title, state.active_at, state.left(now))
                for session_id, state in self._sessions.items()
                if state.expires_at > now and (state.messages or state.live)
            ]
            return sorted(alive, key=lambda entry: entry.last_activity, reverse=True)[:limit]

    def expires_in(self, session_id: str) -> float | None:
        with self._lock:
            state = self._read(session_id)
            return state.left(self._clock()) if state.messages else None

    def raw(self, session_id: str) -> bytes | None:
        """The messages as JSON, as Redis would store them."""
        state = self._read(session_id)
        written = b"[" + serialization.pack_messages(state.messages) + b"]" if state.messages else None
        return state.restored[1] if state.messages and state.messages is state.restored[0] else written

    def overwrite(self, session_id: str, messages: Sequence[Message], lifetime: float | None = None) -> None:
        """Replace the messages and leave the turns, as another service does in Redis with SETEX. The app never does.

        `lifetime` is in seconds, math.inf for ever, and by default the store's.
        """
        with self._lock:
            state = self._write(session_id)
            state.messages, state.overwritten = tuple(messages), True
            state.expires_at = self._clock() + (self._ttl if lifetime is None else lifetime)

    def close(self) -> None:
        with self._lock:
            self._sessions.clear()

    def _read(self, session_id: str) -> State:
        """The session's state. An empty one, which is not stored, if there is none or it has expired."""
        if not valid_session_id(session_id):
            raise ValueError(f"not a session id: {session_id!r}")
        with self._lock:
            state = self._sessions.get(session_id)
            return state if state is not None and state.expires_at > self._clock() else State()

    def _write(self, session_id: str) -> State:
        """The session's state, for changing it. Renews its time to live, without ever shortening it.

        A new session also removes expired ones.
        """
        state = self._read(session_id)
        now = self._clock()
        if session_id not in self._sessions:
            self._remove_expired(now)
        self._sessions[session_id] = state
        state.expires_at = max(state.expires_at, now + self._ttl)
        return state

    def _remove_expired(self, now: float) -> None:
        expired = {sid: state for sid, state in self._sessions.items() if state.expires_at <= now}
        for session_id, state in expired.items():
            del self._sessions[session_id]
            if state.messages or state.live:
                self._gone[session_id] = state.ended(session_id, "expired", state.expires_at)
        for oldest in list(self._gone)[:-MOST_GONE]:
            del self._gone[oldest]

    def _refuse_if_live(self, session_id: str) -> None:
        """Raise TurnInProgress if a turn is live or was interrupted."""
        held = self.live(session_id)
        if held is not None:
            raise interrupted() if held.interrupted else being_answered()

    def _name(self, state: State, prompt: str) -> None:
        """Name an untitled session after a prompt, and set its last activity to now."""
        state.active_at = self._clock()
        created = state.active_at if state.about.created_at is None else state.about.created_at
        title = state.about.title or serialization.title_of(prompt)
        state.about = replace(state.about, title=title, created_at=created)

    def _owned(self, session_id: str, live_id: str) -> State:
        """The state for a write by this turn. Raises TurnLost if another turn is live, or this one is gone."""
        state = self._read(session_id)
        if live_id in state.gone or (state.live is not None and state.live.id != live_id):
            raise turn_lost()
        return state
