"""Makes a capsule of stored sessions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from lib.errors import HistoryUnavailable
from lib.history import ConversationStore, Recording
from lib.history.serialization import to_json
from lib.history.sessions.restoring import kept_title
from lib.transfer import limits, refused
from lib.transfer.capsule import MARK, NOTE_LENGTH, VERSION, prices, session_json

ATTEMPTS = 3
"""How often a session is read if something is written to it meanwhile."""


def recording_of(store: ConversationStore, session_id: str, find: prices.FindModel) -> Recording:
    """All of a session that a capsule holds. A turn that is being answered is not part of it.

    Raises CorruptHistory, HistoryUnavailable, and ImportRefused for a session without messages.
    """
    for _ in range(ATTEMPTS):
        stored, messages = store.raw(session_id), store.load(session_id)
        turns, about = store.turns(session_id), store.about(session_id)
        if store.raw(session_id) != stored:
            continue
        if not stored or not messages:
            raise refused("This chat has no messages, so there is nothing to export.", "Choose another chat.")
        found = Recording(about.title, messages, turns, about.settings, "", about, whole=True, stored=stored)
        found = session_json.settled(found)
        return replace(found, about=replace(found.about, prices=prices.used(found.turns, about.prices, find)))
    raise HistoryUnavailable(
        "Another service keeps writing to this conversation, so it was not exported.",
        safe="Nothing was changed.",
        next_step="Export it when that has stopped.",
    )


def write(recordings: Sequence[Recording], title: str = "", note: str = "") -> bytes:
    """The capsule as a file. Raises ImportRefused if it would be too large to be read again."""
    sessions = []
    for recording in recordings:
        sessions.append(to_json(session_json.to_object(recording)))
        if len(sessions[-1]) >= limits.MOST_CONVERSATION_BYTES or sum(map(len, sessions)) >= limits.MOST_BYTES:
            one, all_ = limits.MOST_CONVERSATION_BYTES // limits.MB, limits.MOST_BYTES // limits.MB
            what = f"This is too large for a capsule, which holds {one} MB for each chat and {all_} MB for all."
            raise refused(what, "Export fewer chats, or as OpenAI JSONL.")
    head = {MARK: VERSION, "title": kept_title(title), "note": kept_note(note)}
    body = to_json(head)[:-1] + b',"sessions":[\n' + b",\n".join(sessions) + b"\n]"
    return body + tail(body)


def tail(body: bytes) -> bytes:
    """The end of a capsule: the hash of everything before it."""
    return b',"sha256":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def kept_note(note: str) -> str:
    """A note as a capsule holds it."""
    return note[:NOTE_LENGTH].strip()
