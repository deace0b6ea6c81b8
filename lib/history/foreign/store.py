"""A history store that also opens the conversations of other libraries, and refuses every write to them.

It passes everything else on to the store that it stands before, so chat, pages and routes need not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.context.candidates import Summary
from lib.errors import ForeignSession
from lib.history import About, HistoryStore, Mark, Recording, SessionSummary, Signal
from lib.history.foreign import address_of
from lib.history.foreign.sessions import ForeignSessions
from lib.history.sessions import SessionRow
from lib.messages import Message
from lib.turns import LiveTurn, Turn

WRITES = ("rename", "pin_session", "expire", "delete", "undelete", "claim", "set_share", "set_parent")
"""Methods of a SessionDirectory that change a session. Those of a HistoryStore are written out below."""


class ForeignStore:
    """A HistoryStore. Methods that only the inner store has, such as those of a SessionDirectory, are its own."""

    def __init__(self, store: HistoryStore, foreign: ForeignSessions) -> None:
        self._store = store
        self.foreign = foreign

    def __getattr__(self, name: str) -> Any:
        if name == "_store":  # not there yet: being copied or unpickled
            raise AttributeError(name)
        inner = getattr(self._store, name)
        if name not in WRITES:
            return inner

        def write(session_id: str, *arguments: Any, **named: Any) -> Any:
            return inner(_own(session_id), *arguments, **named)

        return write

    @property
    def note(self) -> str | None:
        return self._store.note

    def ping(self) -> None:
        self._store.ping()

    def close(self) -> None:
        self._store.close()

    def sessions(self, limit: int) -> list[SessionSummary]:
        return self._store.sessions(limit)

    def load(self, session_id: str) -> Sequence[Message]:
        return self.foreign.messages(session_id) if _is_foreign(session_id) else self._store.load(session_id)

    def raw(self, session_id: str) -> bytes | None:
        return self.foreign.raw(session_id) if _is_foreign(session_id) else self._store.raw(session_id)

    def expires_in(self, session_id: str) -> float | None:
        return self.foreign.expires_in(session_id) if _is_foreign(session_id) else self._store.expires_in(session_id)

    def about(self, session_id: str) -> About:
        return self.foreign.about(session_id) if _is_foreign(session_id) else self._store.about(session_id)

    def turns(self, session_id: str, newest: int | None = None) -> list[Turn]:
        return [] if _is_foreign(session_id) else self._store.turns(session_id, newest)

    def turn(self, session_id: str, number: int) -> Turn | None:
        return None if _is_foreign(session_id) else self._store.turn(session_id, number)

    def live(self, session_id: str) -> LiveTurn | None:
        return None if _is_foreign(session_id) else self._store.live(session_id)

    def row(self, session_id: str) -> SessionRow | None:
        """The row in the list of sessions, for a store that is a SessionDirectory."""
        if _is_foreign(session_id):
            return self.foreign.row(session_id)
        found: SessionRow | None = self.__getattr__("row")(session_id)
        return found

    def save_settings(self, session_id: str, settings: Mapping[str, Any]) -> None:
        self._store.save_settings(_own(session_id), settings)

    def mark(self, session_id: str, index: int, mark: Mark | None) -> None:
        self._store.mark(_own(session_id), index, mark)

    def keep_summaries(self, session_id: str, summaries: Sequence[Summary], live_id: str | None = None) -> None:
        self._store.keep_summaries(_own(session_id), summaries, live_id)

    def keep_handles(self, session_id: str, handles: Mapping[str, Any]) -> None:
        self._store.keep_handles(_own(session_id), handles)

    def import_messages(self, session_id: str, messages: Sequence[Message], source: str) -> None:
        self._store.import_messages(_own(session_id), messages, source)

    def restore(self, session_id: str, recording: Recording) -> None:
        self._store.restore(_own(session_id), recording)

    def clear(self, session_id: str) -> None:
        self._store.clear(_own(session_id))

    def begin(self, session_id: str, live: LiveTurn, *, instead_of: str | None = None) -> None:
        self._store.begin(_own(session_id), live, instead_of=instead_of)

    def heartbeat(self, session_id: str, live: LiveTurn) -> Signal:
        return self._store.heartbeat(_own(session_id), live)

    def request_stop(self, session_id: str, live_id: str) -> None:
        self._store.request_stop(_own(session_id), live_id)

    def commit(self, session_id: str, live_id: str, messages: Sequence[Message], turn: Turn) -> None:
        self._store.commit(_own(session_id), live_id, messages, turn)

    def discard(self, session_id: str, live_id: str) -> None:
        self._store.discard(_own(session_id), live_id)


def foreign_sessions(store: HistoryStore) -> ForeignSessions | None:
    """The other libraries' conversations beside this store; None for a store that is no Redis."""
    found = getattr(store, "foreign", None)
    return found if isinstance(found, ForeignSessions) else None


def _is_foreign(session_id: str) -> bool:
    return address_of(session_id) is not None


def _own(session_id: str) -> str:
    """The id itself. Raises ForeignSession for another library's conversation."""
    if _is_foreign(session_id):
        raise ForeignSession
    return session_id
