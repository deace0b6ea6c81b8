"""What is stored of a conversation, and what every store of conversations promises.

- Append-only: `commit` adds a user message and its reply together, in one atomic write, or nothing at all.
- One live turn per session: `begin` refuses a second one. Only its owner may write `heartbeat` and `commit`; after
  `clear` or `discard` they are refused, so what was cleared stays cleared.
- Reading never writes. Every write renews the time to live of everything the session has (86,400 s by default).
- A value that is not an array of messages raises CorruptHistory and is never overwritten.

Every method raises HistoryUnavailable when the store does not answer, within about a second. A session id is 1 to 128
of the characters A-Z a-z 0-9 . _ - (`valid_session_id`); anything else raises ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from lib.context.candidates import Summary
from lib.context.marks import Marks
from lib.messages import Message
from lib.turns import LiveTurn, Turn

Signal = Literal["ok", "stop"]
Mark = Literal["pinned", "muted"]

_SESSION_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def valid_session_id(session_id: str) -> bool:
    """Whether this can be a session id. Braces, colons and blanks would change what a Redis key means.

    Example: valid_session_id("0b1c-42") -> True; valid_session_id("a}b") -> False
    """
    return _SESSION_ID.fullmatch(session_id) is not None


@dataclass(frozen=True, slots=True)
class Import:
    """Messages that were imported together. `first` is the stored index of the first one; `imported_at` is seconds
    since the epoch.
    """

    first: int
    count: int
    source: str
    """Where they came from, for people."""
    imported_at: float

    def covers(self, index: int) -> bool:
        """Whether the message at this stored index was imported with these."""
        return self.first <= index < self.first + self.count


@dataclass(frozen=True, slots=True)
class About:
    """What is kept beside a session's messages.

    `muted` and `pinned` are stored indexes of user messages whose exchanges are never or always sent; one that is in
    both is muted. `summaries` are the oldest first, and the newest is in force. `imports` are in the order of the
    messages.
    """

    title: str = ""
    created_at: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    muted: frozenset[int] = frozenset()
    pinned: frozenset[int] = frozenset()
    summaries: tuple[Summary, ...] = ()
    handles: Mapping[str, Any] = field(default_factory=dict)
    """Conversations that servers keep, as lib.server_history.Handle.to_dict(), by a name the caller chose."""
    imports: tuple[Import, ...] = ()

    @property
    def summary(self) -> Summary | None:
        """The summary in force."""
        return self.summaries[-1] if self.summaries else None

    @property
    def marks(self) -> Marks:
        """Pins, mutes and the summary in force, as a plan takes them."""
        return Marks(self.muted, self.pinned, self.summary)


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A line in the list of sessions. `last_activity` is seconds since the epoch; `expires_in` seconds, or None."""

    session_id: str
    title: str
    last_activity: float
    expires_in: float | None


class ConversationStore(Protocol):
    """What a session holds: messages, turns, and what is kept beside them."""

    def load(self, session_id: str) -> Sequence[Message]:
        """The whole history, oldest first; empty for a session that does not exist. Raises CorruptHistory.

        Callers must not change it. A repeated call costs only what was added since the last one, and returns the same
        Message objects again.
        """

    def raw(self, session_id: str) -> bytes | None:
        """The stored value as it is, to show one that cannot be read. None if there is none."""

    def expires_in(self, session_id: str) -> float | None:
        """Seconds until the history is deleted unless something is written; None if it is not stored."""

    def turns(self, session_id: str, newest: int | None = None) -> list[Turn]:
        """The newest turns (all with None), oldest first, numbered from the session's first turn."""

    def turn(self, session_id: str, number: int) -> Turn | None:
        """One turn by its number, None if there is none."""

    def about(self, session_id: str) -> About:
        """Title, settings, marks, summaries, handles and imports; an empty About for an unknown session."""

    def save_settings(self, session_id: str, settings: Mapping[str, Any]) -> None:
        """Keep the session's settings."""

    def mark(self, session_id: str, index: int, mark: Mark | None) -> None:
        """Pin or mute the exchange of the user message at this stored index, or neither. Raises ValueError below 0."""

    def keep_summaries(self, session_id: str, summaries: Sequence[Summary], live_id: str | None = None) -> None:
        """Replace the session's summaries by these. The messages they stand for stay.

        With a `live_id`, only while that turn is being answered: raises TurnLost where it was cleared or discarded.
        """

    def keep_handles(self, session_id: str, handles: Mapping[str, Any]) -> None:
        """Replace the session's handles. No server lists its conversations, so a lost handle cannot be found again."""

    def import_messages(self, session_id: str, messages: Sequence[Message], source: str) -> None:
        """Append messages that came from elsewhere, and record which ones and from where: all or nothing.

        An untitled session is named after their first user message. Without messages, nothing is written. Raises
        TurnInProgress while a turn is answered or waits for a decision, CorruptHistory when the value is no array.
        """

    def clear(self, session_id: str) -> None:
        """Delete the session: messages, turns, live record and everything else."""


class LiveTurnStore(Protocol):
    """The turn that is being answered: one per session, owned by the thread that answers it."""

    def begin(self, session_id: str, live: LiveTurn, *, instead_of: str | None = None) -> None:
        """Store the live record before the provider is called, and name an untitled session after the prompt.

        Raises TurnInProgress if there is a record already, unless its id is `instead_of` and it is interrupted: then it
        is replaced (a retry).
        """

    def live(self, session_id: str) -> LiveTurn | None:
        """The live record with its age, interrupted ones included. None when nothing is being answered."""

    def heartbeat(self, session_id: str, live: LiveTurn) -> Signal:
        """Write the record's present state. Returns "stop" when somebody asked to stop.

        Raises TurnLost when the record is not ours any more.
        """

    def request_stop(self, session_id: str, live_id: str) -> None:
        """Ask the owner, in whichever process it runs, to stop and commit the reply so far."""

    def commit(self, session_id: str, live_id: str, messages: Sequence[Message], turn: Turn) -> None:
        """Append the messages, add the turn, mute what it replaces, remove the live record: all or nothing.

        Also accepted when the store forgot the record (a Redis that restarted empty), so that a reply outlives its
        store. Raises TurnLost when the record was cleared, discarded or replaced, CorruptHistory when the value is no
        array.
        """

    def discard(self, session_id: str, live_id: str) -> None:
        """Remove an interrupted record, with its prompt and partial text. Does nothing if it is not there."""


class SessionList(Protocol):
    """The sessions there are."""

    def sessions(self, limit: int) -> list[SessionSummary]:
        """The sessions with the latest activity that still exist, newest first."""


class HistoryStore(ConversationStore, LiveTurnStore, SessionList, Protocol):
    """A whole store."""

    @property
    def note(self) -> str | None:
        """What a person must know about this store on every page ("lost on restart"), or None."""

    def ping(self) -> None:
        """Return if the store answers, raise HistoryUnavailable if not."""

    def close(self) -> None:
        """Give back connections; the last user of an embedded server shuts it down."""
