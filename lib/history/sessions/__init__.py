"""What is known about whole sessions: their rows in a list, how to look for them, and what became of lost ones.

Tokens are sums over the session's turns, as their providers reported them. None means unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lib.history.prompt_sets import RunStore
from lib.history.sessions.sums import ModelUsage
from lib.history.spending import SpendingBook
from lib.history.votes import VoteBook

Origin = Literal["here", "service", "import"]
"""Who wrote the messages: this app, another service on the same store, or an import."""
Share = Literal["", "read", "write"]
"""What people who are not the owner may do with a session, if they have its link: nothing, read it, or write too."""
Ending = Literal["expired", "deleted", "lost"]
"""Why a session is gone: its time was up, a person deleted it, or the store lost it before its time was up."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The session that another one was forked from, and where.

    `messages` is how many of the parent's messages the fork began with. `how` says what made it, as one word: "fork",
    "edit" (a message was changed), "replay", "resend" (a recorded request was changed and sent again) or "app" (a
    recorded app went on otherwise than one history can show).
    """

    session_id: str
    messages: int
    how: str = "fork"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the list of sessions.

    Times are seconds since the epoch; `expires_in` is seconds from now, None for never. `size` is in bytes, of all the
    session's keys, as the store reports it; None if it does not.
    """

    session_id: str
    title: str = ""
    provider: str = ""
    model: str = ""
    strategy: str = ""
    messages: int | None = 0
    """None if they cannot be read, or are too many to count for a list."""
    turns: int = 0
    usage: tuple[ModelUsage, ...] = ()
    """What each model was sent and answered, so that it can be priced."""
    created_at: float | None = None
    last_activity: float = 0.0
    expires_in: float | None = None
    size: int | None = None
    origin: Origin = "here"
    pinned: bool = False
    turns_with_dropped: int = 0
    """Turns whose request did not hold every stored message."""
    interrupted: bool = False
    """Its live turn failed, or nobody answers it any more."""
    stopped: int = 0
    """Turns that a person stopped, or that ended early."""
    parent: Parent | None = None
    owner: str = ""
    """The id of the person it belongs to; empty if it was begun while the app was one person's."""
    share: Share = ""
    format: str = ""
    """What the library that keeps it is called, e.g. "RedisVL"; empty for the app's own sessions."""

    @property
    def input_tokens(self) -> int | None:
        """Tokens that all models together were sent; None if no turn reported any."""
        return self._reported("input_tokens")

    @property
    def output_tokens(self) -> int | None:
        """Tokens that all models together answered; None if no turn reported any."""
        return self._reported("output_tokens")

    def _reported(self, name: str) -> int | None:
        known = [getattr(each.usage, name) for each in self.usage if each.unreported < each.turns]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions to list. Empty fields do not filter.

    `text` is looked for in titles and messages, in any case. `newer_than` and `older_than` are seconds since the last
    activity.
    """

    text: str = ""
    model: str = ""
    strategy: str = ""
    dropped: bool = False
    failed: bool = False
    """Only sessions with an interrupted or a stopped turn."""
    newer_than: float | None = None
    older_than: float | None = None
    owner: str | None = None
    """Only this person's sessions; None for everyone's."""


@dataclass(frozen=True, slots=True)
class SessionPage:
    """A page of rows, newest first, the pinned ones not moved.

    `next_cursor` continues the list; None at its end. `looked_at` of `total` sessions were examined to fill it, so that
    a page can say how far a search came: a search stops after a while even if the page is not full.
    """

    rows: tuple[SessionRow, ...]
    next_cursor: str | None
    looked_at: int
    total: int


@dataclass(frozen=True, slots=True)
class Gone:
    """What became of a session that does not exist any more. `at` is seconds since the epoch."""

    session_id: str
    ending: Ending
    at: float
    title: str = ""
    owner: str = ""
    """The id of the person it belonged to, where that is known."""


class SessionDirectory(Protocol):
    """The part of a store that knows about whole sessions. Looking changes nothing, the time to live included.

    Every method raises HistoryUnavailable if the store does not answer.
    """

    @property
    def spending(self) -> SpendingBook:
        """What sessions and people have spent. A session's account outlives the session."""

    @property
    def votes(self) -> VoteBook:
        """How people voted between answers whose models they were not told."""

    @property
    def prompt_runs(self) -> RunStore:
        """The runs of people's prompt sets."""

    def find(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> SessionPage:
        """The next sessions that match, newest first. Raises ValueError for a cursor that this store did not give."""

    def row(self, session_id: str) -> SessionRow | None:
        """One session's row, or None if it does not exist."""

    def gone(self, session_id: str, owner: str | None = None) -> Gone | None:
        """When and why a session went. None if it exists, or if nothing is known of it any more.

        With an owner, only of a session that was this person's.
        """

    def rename(self, session_id: str, title: str) -> None:
        """Replace the title. Raises ValueError for an empty one."""

    def pin_session(self, session_id: str, pinned: bool) -> None:
        """Pin the session to the top of the short list, or unpin it."""

    def pinned_sessions(self, limit: int = 10) -> Sequence[SessionRow]:
        """The pinned sessions, most recently active first."""

    def expire(self, session_id: str, seconds: float | None) -> None:
        """Let all of the session's keys expire in so many seconds; None: never. It may shorten a life.

        Raises TurnInProgress while a turn is answered.
        """

    def delete(self, session_id: str) -> str:
        """Delete the session and return a receipt, with which it can be restored for a minute.

        Raises TurnInProgress while a turn is answered.
        """

    def undelete(self, session_id: str, receipt: str) -> bool:
        """Bring a deleted session back with everything it had. False if it is too late, or the id is in use again."""

    def claim(self, session_id: str, owner: str) -> str:
        """Make this person the owner of a session that has none, and return the id of its owner.

        It may be called before the session's first message, so that nobody else ever sees it.
        """

    def set_share(self, session_id: str, share: Share) -> None:
        """Allow or forbid people with the link to open the session. Its time to live stays."""

    def set_parent(self, session_id: str, parent: Parent) -> None:
        """Record where a forked session came from."""

    def children(self, session_id: str) -> Sequence[SessionRow]:
        """The sessions that were forked from this one, oldest first."""
