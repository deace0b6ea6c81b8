"""The interface of a history store, the types it returns, and what every store promises.

- Append-only: `commit` adds a user message and its reply together, in one atomic write, or nothing at all.
- One live turn per session: `begin` refuses a second one. Only the turn's owner may call `heartbeat` and `commit`.
  After `clear` or `discard` both are refused, so a cleared session stays cleared.
- Reading never writes. Every write renews the time to live of all of the session's data (86,400 s by default). It never
  shortens one: a later deadline that another service set stays, and so does none at all.
- A stored value that is not an array of messages raises CorruptHistory and is never overwritten.

Every method raises HistoryUnavailable within about a second if the store does not answer. A session id has 1 to 128 of
the characters A-Z a-z 0-9 . _ - (`valid_session_id`); any other id raises ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from lib.context.candidates import Summary
from lib.context.marks import Marks
from lib.history.sessions import Parent, SessionDirectory, Share
from lib.messages import Message
from lib.turns import LiveTurn, Turn

Signal = Literal["ok", "stop"]
Mark = Literal["pinned", "muted"]

_SESSION_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def valid_session_id(session_id: str) -> bool:
    """Whether this is a valid session id. Braces, colons and spaces would change the meaning of a Redis key.

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
    """Where they came from, as text for people, e.g. the name of a file."""
    imported_at: float
    whole: bool = False
    """The whole session came from there, with its turns and marks. An export of the session does not repeat this."""

    def covers(self, index: int) -> bool:
        """Whether the message at this stored index belongs to this import."""
        return self.first <= index < self.first + self.count


@dataclass(frozen=True, slots=True)
class About:
    """What is stored about a session besides its messages and turns.

    `muted` and `pinned` hold the stored indexes of user messages. A muted exchange is never sent, a pinned one always
    is; an index in both is muted. `summaries` are oldest first, and only the newest is used. `imports` are in the order
    of the messages. `created_at` is seconds since the epoch.
    """

    title: str = ""
    created_at: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    muted: frozenset[int] = frozenset()
    pinned: frozenset[int] = frozenset()
    summaries: tuple[Summary, ...] = ()
    handles: Mapping[str, Any] = field(default_factory=dict)
    """Conversations kept by servers: lib.server_history.Handle.to_dict() by a name that the caller chooses."""
    imports: tuple[Import, ...] = ()
    prices: Mapping[str, Any] = field(default_factory=dict)
    """List prices that came with an imported session, by "vendor/model". The app keeps them and does not use them."""
    owner: str = ""
    """The id of the person it belongs to; empty if it has no owner."""
    share: Share = ""
    parent: Parent | None = None
    """The session that it was forked from."""
    session_pinned: bool = False
    """The session is at the top of the short list."""

    @property
    def summary(self) -> Summary | None:
        """The newest summary, which is the one that is used."""
        return self.summaries[-1] if self.summaries else None

    @property
    def marks(self) -> Marks:
        """Pins, mutes and the newest summary, in the form a plan takes."""
        return Marks(self.muted, self.pinned, self.summary)


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole conversation with the records of its turns, made elsewhere, to be stored as a new session.

    The turns are in their order. Numbers that increase are kept, otherwise the store numbers them from 1. `source` says
    where it came from, as text for people. `about` has its marks, summaries, earlier imports, prices and when it was
    created; the rest of it is not used.
    """

    title: str
    messages: Sequence[Message]
    turns: Sequence[Turn]
    settings: Mapping[str, Any]
    source: str
    about: About = field(default_factory=About)
    whole: bool = False
    """See Import. It is recorded with the import that this recording makes."""
    stored: bytes | None = None
    """The messages as the bytes to store; None to write them as the store does."""


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A line in the list of sessions.

    `last_activity` is seconds since the epoch. `expires_in` is seconds from now, None for never.
    """

    session_id: str
    title: str
    last_activity: float
    expires_in: float | None


class ConversationStore(Protocol):
    """The part of a store that holds a session's messages, finished turns and settings."""

    def load(self, session_id: str) -> Sequence[Message]:
        """All messages, oldest first; empty for a session that does not exist. Raises CorruptHistory.

        Callers must not change the sequence. A repeated call reads only what was added since the last one, and returns
        the same Message objects.
        """

    def raw(self, session_id: str) -> bytes | None:
        """The stored bytes of the messages, to show a value that cannot be parsed. None if nothing is stored."""

    def expires_in(self, session_id: str) -> float | None:
        """Seconds until the messages expire if nothing is written. None if none are stored or they never expire."""

    def turns(self, session_id: str, newest: int | None = None) -> list[Turn]:
        """The newest turns (None: all), oldest first. The session's first turn has number 1.

        What cannot be read of a record counts as unknown, and the turn's note says so.
        """

    def turn(self, session_id: str, number: int) -> Turn | None:
        """The turn with this number, or None."""

    def about(self, session_id: str) -> About:
        """Title, settings, marks, summaries, handles and imports; an empty About for an unknown session.

        Raises CorruptHistory.
        """

    def save_settings(self, session_id: str, settings: Mapping[str, Any]) -> None:
        """Replace the session's settings."""

    def mark(self, session_id: str, index: int, mark: Mark | None) -> None:
        """Pin or mute the exchange of the user message at this stored index; None removes the mark.

        Raises ValueError for a negative index.
        """

    def keep_summaries(self, session_id: str, summaries: Sequence[Summary], live_id: str | None = None) -> None:
        """Replace the session's summaries. The messages that they summarize stay stored.

        With a `live_id`, raises TurnLost unless that turn is still live.
        """

    def keep_handles(self, session_id: str, handles: Mapping[str, Any]) -> None:
        """Replace the session's handles. No server lists its conversations, so a lost handle cannot be found again."""

    def import_messages(self, session_id: str, messages: Sequence[Message], source: str) -> None:
        """Append messages from another source and record which ones they are, in one atomic write.

        An untitled session is named after their first user message. Without messages, nothing is written. Raises
        TurnInProgress while a turn is live or interrupted, CorruptHistory if the stored value is not an array,
        ImportRefused for a message that could not be read back.
        """

    def restore(self, session_id: str, recording: Recording) -> None:
        """Store a recorded conversation in a session that has no messages yet, in one atomic write.

        All its messages are recorded as one import from `recording.source`. Raises ImportRefused if the session has
        messages or turns, or for a message that could not be read back, TurnInProgress while a turn is live or
        interrupted. Raises ValueError without messages, and for `stored` bytes that hold other messages.
        """

    def clear(self, session_id: str) -> None:
        """Delete the session: messages, turns, live turn, settings and marks."""


class LiveTurnStore(Protocol):
    """The part of a store that holds live turns: at most one per session, owned by the thread that answers it."""

    def begin(self, session_id: str, live: LiveTurn, *, instead_of: str | None = None) -> None:
        """Store the live turn before the provider is called, and name an untitled session after the prompt.

        Raises TurnInProgress if the session has a live turn already. An interrupted one whose id is `instead_of` is
        replaced (a retry).
        """

    def live(self, session_id: str) -> LiveTurn | None:
        """The live turn with its age, also if it was interrupted, or None. Raises CorruptHistory."""

    def heartbeat(self, session_id: str, live: LiveTurn) -> Signal:
        """Store the turn's current state. Returns "stop" after `request_stop`.

        Raises TurnLost if the turn was cleared, discarded, replaced or committed.
        """

    def request_stop(self, session_id: str, live_id: str) -> None:
        """Ask the turn's owner, which may be in another process, to stop and commit the reply so far."""

    def commit(self, session_id: str, live_id: str, messages: Sequence[Message], turn: Turn) -> None:
        """Append the messages, add the turn, mute what it replaces and remove the live turn, in one atomic write.

        This also works if the store lost the live turn (a Redis that restarted empty), so that the reply is not lost
        too. Raises TurnLost if the turn was cleared, discarded or replaced, CorruptHistory if the stored value is not
        an array.
        """

    def discard(self, session_id: str, live_id: str) -> None:
        """Remove a live turn with its prompt and partial reply. Does nothing if another turn, or none, is live."""


class SessionList(Protocol):
    """The part of a store that lists sessions."""

    def sessions(self, limit: int) -> list[SessionSummary]:
        """The most recently active sessions that still exist, newest first."""


class HistoryStore(ConversationStore, LiveTurnStore, SessionList, SessionDirectory, Protocol):
    """A complete store."""

    @property
    def note(self) -> str | None:
        """A warning about this store that every page shows, e.g. "lost on restart", or None.

        May ask the server; does not raise.
        """

    def ping(self) -> None:
        """Raise HistoryUnavailable if the store does not answer."""

    def close(self) -> None:
        """Close connections; the last user of an embedded server shuts it down."""
