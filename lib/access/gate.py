"""Gate: the store and the chat service as one person may use them. Every page and route goes through it.

It asks the store for the owner before every read and write, so that nothing above it can forget to. What it does not
know is refused: a method of the store is not there until RIGHTS names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from lib.access import Person, Right, right_of
from lib.access.own_runs import own_runs
from lib.errors import CorruptHistory, NotYours
from lib.history import About, HistoryStore, SessionSummary
from lib.history.foreign import format_of
from lib.history.prompt_sets import RunStore
from lib.history.sessions import Gone, SessionPage, SessionQuery, SessionRow

if TYPE_CHECKING:
    from lib.history.foreign.sessions import ForeignSessions

REMEMBERED_SECONDS = 1.0
"""A decision is used again for so long, so that a page which reads five things asks for the owner once. A share that
was revoked ends at most so much later."""
MOST_PINNED = 1_000
"""Pinned sessions among which a person's own are looked for."""

RIGHTS = {
    "load": Right.READ,
    "raw": Right.READ,
    "expires_in": Right.READ,
    "turns": Right.READ,
    "turn": Right.READ,
    "live": Right.READ,
    "save_settings": Right.WRITE,
    "mark": Right.WRITE,
    "keep_summaries": Right.WRITE,
    "keep_handles": Right.WRITE,
    "import_messages": Right.WRITE,
    "restore": Right.WRITE,
    "begin": Right.WRITE,
    "heartbeat": Right.WRITE,
    "request_stop": Right.WRITE,
    "commit": Right.WRITE,
    "discard": Right.WRITE,
    "clear": Right.OWN,
    "rename": Right.OWN,
    "pin_session": Right.OWN,
    "expire": Right.OWN,
    "delete": Right.OWN,
    "set_share": Right.OWN,
    "set_parent": Right.OWN,
}
"""What each method of the store needs. Its first argument is the session."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found out about a session. `at` is by time.monotonic()."""

    right: Right
    is_new: bool
    at: float


class Gate:
    """Decides what this person may do with sessions of this store. For one request, or one run of a page."""

    def __init__(self, person: Person, store: HistoryStore) -> None:
        self.person = person
        self._store = store
        self._known: dict[str, _Known] = {}

    def right(self, session_id: str) -> Right:
        """What the person may do with the session. One that does not exist is theirs to begin."""
        return self._of(session_id).right

    def check(self, session_id: str, needed: Right) -> None:
        """Return if the person may do this. Raises NotYours.

        Whoever is about to write to a session that does not exist yet becomes its owner first.
        """
        known = self._of(session_id)
        if known.right == Right.NONE:
            raise NotYours
        if known.right < needed:
            reads = known.right == Right.READ
            what = "This chat was shared with you to read." if reads else "Only the owner of this chat may do that."
            raise NotYours(what, safe="Nothing was changed.", next_step="Begin a chat of your own, or ask its owner.")
        if known.is_new and needed > Right.READ:
            self._claim(session_id)

    def _of(self, session_id: str) -> _Known:
        known = self._known.get(session_id)
        if known is None or time.monotonic() - known.at > REMEMBERED_SECONDS:
            known = self._known[session_id] = self._look(session_id)
        return known

    def _look(self, session_id: str) -> _Known:
        now, person = time.monotonic(), self.person
        if not person.id or format_of(session_id):  # another library's conversation has no owner
            return _Known(right_of(person, "", ""), False, now)
        try:
            about = self._store.about(session_id)
        except CorruptHistory:  # so its owner cannot be read either, and the value is not for strangers
            return _Known(right_of(person, "", ""), False, now)
        if about == About() and self._store.row(session_id) is None:
            return _Known(Right.OWN, True, now)
        return _Known(right_of(person, about.owner, about.share), False, now)

    def _claim(self, session_id: str) -> None:
        """Become the owner. Another person may have been faster."""
        self._known.pop(session_id, None)
        if self._store.claim(session_id, self.person.id) != self.person.id:
            raise NotYours


class GatedStore:
    """The store as this person may use it. It has the methods of HistoryStore, without `close`."""

    def __init__(self, gate: Gate, store: HistoryStore) -> None:
        self._gate = gate
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Any]:
        needed = RIGHTS.get(name)
        if needed is None:
            raise AttributeError(f"the gate does not let anybody through to {name!r}")
        method = getattr(self._store, name)

        def gated(session_id: str, *arguments: Any, **named: Any) -> Any:
            self._gate.check(session_id, needed)
            return method(session_id, *arguments, **named)

        return gated

    @property
    def note(self) -> str | None:
        """The store's warning."""
        return self._store.note

    def ping(self) -> None:
        """Raise HistoryUnavailable if the store does not answer."""
        self._store.ping()

    @property
    def prompt_runs(self) -> RunStore:
        """The person's own runs of prompt sets."""
        return own_runs(self._gate.person, self._store.prompt_runs)

    def row(self, session_id: str) -> SessionRow | None:
        """One session's row. A session that the person may not read does not exist for them."""
        return None if self._gate.right(session_id) == Right.NONE else self._store.row(session_id)

    @property
    def foreign(self) -> ForeignSessions:
        """Other libraries' conversations, which belong to nobody. Raises AttributeError unless one sees everything."""
        if not self._gate.person.sees_all:
            raise AttributeError("foreign")
        found: ForeignSessions = getattr(self._store, "foreign")  # noqa: B009 - only a store on Redis has it
        return found

    def about(self, session_id: str) -> About:
        """What is stored about the session. Whoever may not write to it is not told its copies on servers."""
        self._gate.check(session_id, Right.READ)
        about = self._store.about(session_id)
        return about if self._gate.right(session_id) >= Right.WRITE else replace(about, handles={})

    def claim(self, session_id: str, owner: str) -> str:
        """Only for oneself: become the owner, and return the id of the owner."""
        if owner != self._gate.person.id:
            raise NotYours("A chat cannot be given to somebody else.", safe="Nothing was changed.")
        self._gate.check(session_id, Right.OWN)
        return owner

    def sessions(self, limit: int) -> list[SessionSummary]:
        """The person's own sessions; everybody's for an admin."""
        if self._gate.person.sees_all:
            return self._store.sessions(limit)
        rows = self.find(SessionQuery(), limit=limit).rows
        return [SessionSummary(row.session_id, row.title, row.last_activity, row.expires_in) for row in rows]

    def find(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> SessionPage:
        """The same, as rows. Sessions that others have shared are not listed."""
        person = self._gate.person
        return self._store.find(query if person.sees_all else replace(query, owner=person.id), cursor, limit)

    def pinned_sessions(self, limit: int = 10) -> Sequence[SessionRow]:
        """The pinned ones among them."""
        rows = self._store.pinned_sessions(limit if self._gate.person.sees_all else MOST_PINNED)
        return [row for row in rows if self._allows(row, Right.OWN)][:limit]

    def children(self, session_id: str) -> Sequence[SessionRow]:
        """The forks of a session that the person may open."""
        self._gate.check(session_id, Right.READ)
        return [row for row in self._store.children(session_id) if self._allows(row, Right.READ)]

    def gone(self, session_id: str) -> Gone | None:
        """What became of a session that was the person's."""
        person = self._gate.person
        return self._store.gone(session_id, None if person.sees_all else person.id)

    def undelete(self, session_id: str, receipt: str) -> bool:
        """Bring a deleted session back. Only whoever deleted it has the receipt."""
        return self._store.undelete(session_id, receipt)

    def _allows(self, row: SessionRow, needed: Right) -> bool:
        return right_of(self._gate.person, row.owner, row.share) >= needed


def gated_store(gate: Gate, store: HistoryStore) -> HistoryStore:
    """The store behind the gate."""
    return cast(HistoryStore, GatedStore(gate, store))
