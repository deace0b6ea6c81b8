"""Lists and opens the conversations that other libraries keep on the same Redis. Nothing is ever written."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lib import outside_values
from lib.errors import ChatError, HistoryUnavailable
from lib.history import About
from lib.history.client import RetryingClient
from lib.history.foreign import FORMATS
from lib.history.foreign.access import Access, Part, Wrong
from lib.history.foreign.catalogue import Catalogue
from lib.history.foreign.readers import Found, Glance, Reader
from lib.history.foreign.readers.agents import AgentsReader
from lib.history.foreign.readers.json_array import JsonArrayReader
from lib.history.foreign.readers.langchain import LangChainReader
from lib.history.foreign.readers.langgraph import LangGraphReader
from lib.history.foreign.readers.odd_values import too_deep
from lib.history.foreign.readers.redisvl import RedisVLReader
from lib.history.keys import INDEX
from lib.history.sessions import SessionRow
from lib.messages import Message

READINGS = 16
"""Conversations whose messages are remembered, so that the same messages are the same objects."""


@dataclass(frozen=True, slots=True)
class ForeignPage:
    """A page of rows, by format and then by name. `total` conversations match; `next_cursor` is None at the end.

    `notes` says, by session id, why a row's figures are missing. `is_complete` is False on a server with so many keys
    that not all were looked at.
    """

    rows: tuple[SessionRow, ...]
    next_cursor: str | None
    total: int
    keys_looked_at: int
    is_complete: bool
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was stored when a conversation was last read, and its messages."""

    parts: tuple[Part, ...]
    messages: tuple[Message, ...]


class ForeignSessions:
    """Safe to share between threads. `prefixes` are those of WINDOWSEAT_READ_PREFIXES.

    Every method raises HistoryUnavailable if the server does not answer, and ChatError if it does not let us read.
    """

    def __init__(
        self, client: RetryingClient, prefixes: Sequence[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._access = Access(client)
        readers: list[Reader] = [AgentsReader(), LangChainReader(), RedisVLReader(), LangGraphReader()]
        self._catalogue = Catalogue(self._access, [*readers, JsonArrayReader(prefixes)], clock)
        self._lock = threading.Lock()
        self._readings: OrderedDict[str, Reading] = OrderedDict()

    def list_foreign(self, limit: int = 25, cursor: str | None = None, text: str = "") -> ForeignPage:
        """The next conversations whose name or format holds this text, in any case.

        `cursor` is a place in the list, in decimal digits: the `next_cursor` of a page, or a multiple of `limit`.
        Raises ValueError for any other.
        """
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
            raise ValueError(f"not a place in the list: {cursor!r}")
        look, wanted, start = self._catalogue.look(), text.casefold(), int(cursor or 0)
        matching = [entry for entry in look.found.items() if not wanted or wanted in _words(*entry[1])]
        notes: dict[str, str] = {}
        rows = self._rows(matching[start : start + limit], notes)
        following = str(start + limit) if start + limit < len(matching) else None
        return ForeignPage(rows, following, len(matching), look.keys, look.is_complete, notes)

    def unlisted(self, text: str = "") -> list[str]:
        """Ids of the chats that another service wrote under this app's own keys and that nobody has gone on with here,
        so that they are in no list of sessions. Only those whose id holds this text, in any case.
        """
        wanted = text.casefold()
        ids = [each for each in self._catalogue.look().own if wanted in each.casefold()]
        return self._access.without_score(INDEX, ids)

    def look_again(self) -> None:
        """Forget which keys there were, so that the next list is new."""
        self._catalogue.forget()

    def row(self, session_id: str) -> SessionRow | None:
        """One conversation's row, or None if it does not exist."""
        try:
            reader, session, keys = self._catalogue.find(session_id)
        except HistoryUnavailable:
            raise
        except ChatError:
            return None
        return self._rows([(session_id, (reader, Found(session, len(keys), keys[0], keys[-1])))], {})[0]

    def messages(self, session_id: str) -> Sequence[Message]:
        """The messages, oldest first. A repeated call returns the same objects for those that have not changed.

        Raises ChatError if the conversation is gone or too large, CorruptHistory if it is not what its name says.
        """
        reader, _, keys = self._catalogue.find(session_id)
        parts = reader.fetch(self._access, keys)
        with self._lock:
            known = self._readings.get(session_id)
        if known is not None and known.parts == parts:
            return known.messages
        messages = tuple(map(_bounded, reader.messages(parts)))
        if known is not None and messages[: len(known.messages)] == known.messages:
            messages = known.messages + messages[len(known.messages) :]
        with self._lock:
            self._readings[session_id] = Reading(parts, messages)
            self._readings.move_to_end(session_id)
            if len(self._readings) > READINGS:
                self._readings.popitem(last=False)
        return messages

    def raw(self, session_id: str) -> bytes | None:
        """The stored pieces, one below the other. None if there are none."""
        try:
            reader, _, keys = self._catalogue.find(session_id)
            return b"\n".join(map(_as_bytes, reader.fetch(self._access, keys))) or None
        except HistoryUnavailable:
            raise
        except ChatError:
            return None

    def about(self, session_id: str) -> About:
        """What the library calls the conversation, and when it began. Raises ChatError if it is gone."""
        reader, session, keys = self._catalogue.find(session_id)
        glance = reader.glance(self._access, Found(session, len(keys), keys[0], keys[-1]))
        return About(reader.title(session), glance.created_at)

    def expires_in(self, session_id: str) -> float | None:
        """Seconds until the conversation's last key expires. None if it never does. Raises ChatError if it is gone."""
        *_, keys = self._catalogue.find(session_id)
        return _left(self._access.deadlines(keys[-1:])[0])

    def _rows(
        self, entries: Sequence[tuple[str, tuple[Reader, Found]]], notes: dict[str, str]
    ) -> tuple[SessionRow, ...]:
        """The rows of these conversations. Why one is not complete goes into `notes`."""
        deadlines = self._access.deadlines([found.last for _, (_, found) in entries])
        rows = []
        for (session_id, (reader, found)), deadline in zip(entries, deadlines, strict=True):
            glance = self._glance(session_id, reader, found, notes)
            rows.append(
                SessionRow(
                    session_id,
                    reader.title(found.session),
                    messages=glance.messages or 0,
                    created_at=glance.created_at,
                    last_activity=glance.last_activity or 0.0,
                    expires_in=_left(deadline),
                    size=glance.size,
                    origin="service",
                    format=FORMATS[reader.format],
                )
            )
        return tuple(rows)

    def _glance(self, session_id: str, reader: Reader, found: Found, notes: dict[str, str]) -> Glance:
        try:
            glance = reader.glance(self._access, found)
        except HistoryUnavailable:
            raise
        except ChatError as error:
            notes[session_id] = error.what
            return Glance()
        if glance.messages is None:
            notes[session_id] = "Its messages are not counted here."
        return glance


def _bounded(message: Message) -> Message:
    """The message, or one that says that it is nested too deeply to be stored anywhere here."""
    return too_deep() if outside_values.is_too_deep(message.to_dict()) else message


def _words(reader: Reader, found: Found) -> str:
    return f"{reader.title(found.session)} {FORMATS[reader.format]}".casefold()


def _as_bytes(part: Part) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, Wrong):
        return f"({part.what})".encode()
    return b", ".join(name + b": " + value for name, value in part.items())


def _left(milliseconds: int) -> float | None:
    return None if milliseconds < 0 else milliseconds / 1000
