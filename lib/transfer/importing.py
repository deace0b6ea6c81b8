"""Stores conversations of an opened file as new sessions, each in one atomic write.

The id of a session is made from the file, its place in it and the person, so importing a file twice finds what is there
already, unless copies are asked for.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from lib.errors import ChatError, ImportRefused
from lib.history import About, ConversationStore, Recording
from lib.transfer import Conversation
from lib.transfer.opened import Opened, Progress, Row


@dataclass(frozen=True, slots=True)
class Imported:
    """A conversation that is stored now. `already` if it was there before."""

    session_id: str
    title: str
    already: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of the chosen conversations. If something failed, `error` says why, and `failed` is its title.

    `not_tried` are the titles of those that have not been tried: at the end, those after a failure or a stop.
    """

    imported: list[Imported] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Titles and reasons of those that could not come in."""
    failed: str = ""
    error: ChatError | None = None
    not_tried: list[str] = field(default_factory=list)


def store_rows(
    store: ConversationStore,
    opened: Opened,
    rows: Sequence[Row],
    *,
    owner: str = "",
    copies: bool = False,
    progress: Progress | None = None,
    outcome: Outcome | None = None,
) -> Outcome:
    """Store the conversations of these rows. A failure is part of the outcome, and ends it.

    `owner` is the person's id, empty on an app that one person uses. `outcome` is filled step by step, so that it is
    right even if `progress` raises to stop the import between two conversations.
    """
    outcome = Outcome() if outcome is None else outcome
    outcome.not_tried = [row.title for row in rows]
    for place, row in enumerate(rows):
        if progress is not None:
            progress(place / len(rows))
        del outcome.not_tried[:1]
        conversation = opened.read(row)
        if conversation.refusal:
            outcome.refused.append((row.title, conversation.refusal))
            continue
        session_id = uuid.uuid4().hex if copies else session_id_of(opened, row, owner)
        try:
            outcome.imported.append(_store(store, session_id, row, recording_of(conversation, opened, row)))
        except ImportRefused as exc:
            outcome.refused.append((row.title, exc.what))
        except ChatError as exc:
            outcome.failed, outcome.error = row.title, exc
            break
    return outcome


def session_id_of(opened: Opened, row: Row, owner: str = "") -> str:
    """The id under which this person's copy of a conversation is stored."""
    named = f"{owner}\0{opened.sha256}\0{opened.format}\0{row.number}"
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def recording_of(conversation: Conversation, opened: Opened, row: Row) -> Recording:
    """A conversation as the store takes it."""
    if conversation.recording is not None:
        return conversation.recording
    about = About(created_at=conversation.created_at)
    branch = f", {conversation.branch}" if conversation.branch else ""
    return Recording(row.title, conversation.messages, (), {}, f"{opened.source}{branch}", about)


def _store(store: ConversationStore, session_id: str, row: Row, recording: Recording) -> Imported:
    if store.raw(session_id) is not None:
        return Imported(session_id, row.title, already=True)
    store.restore(session_id, recording)
    return Imported(session_id, row.title)
