"""Names the Redis keys of a session.

    chat:<id>               string      JSON array of {role, content}, shared with other services
    {chat:<id>}:turns       stream      one entry per turn; the entry's id is the turn's number
    {chat:<id>}:live        string      the live turn; while it exists, no other turn can begin
    {chat:<id>}:about       hash        title, created_at, settings, pinned:<index>, muted:<index>, summaries, handles,
                                        import:<id>, lineage
    {chat:<id>}:signal      hash        the turn that was asked to stop, turns whose late writes are refused
    {chat:<id>}:bin:<receipt>...        a deleted session for 60 seconds, its keys renamed
    chats                   sorted set  session ids by last activity; only an index, may list expired sessions
    chats:pinned            set         ids of pinned sessions
    chats:owner:<owner>     set         ids of one person's sessions
    chats:forks:<id>        set         ids of the sessions that were forked from this one
    chats:gone              hash        what became of sessions that were deleted or given a deadline

All five keys of a session are in one cluster slot, because a cluster hashes only the part between braces, and the whole
name of a key without braces.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from lib.history import valid_session_id

INDEX = "chats"


def owned_by(owner: str) -> str:
    """The set of the sessions of one person. Example: owned_by("ab") -> "chats:owner:ab" """
    return f"{INDEX}:owner:{owner}"


def forks_of(session_id: str) -> str:
    """The set of the sessions that were forked from this one."""
    return f"{INDEX}:forks:{session_id}"


class Keys(NamedTuple):
    """The keys of one session, in the order the scripts take them."""

    history: str
    turns: str
    live: str
    about: str
    signal: str


TYPES = Keys("string", "stream", "string", "hash", "hash")
"""The Redis type of each key, as the TYPE command names it."""


@lru_cache(maxsize=1024)
def keys_of(session_id: str) -> Keys:
    """The keys of a session. Raises ValueError for an invalid session id.

    Example: keys_of("a").turns -> "{chat:a}:turns"
    """
    if not valid_session_id(session_id):
        raise ValueError(f"not a session id: {session_id!r}")
    history = f"chat:{session_id}"
    turns, live, about, signal = (f"{{{history}}}:{part}" for part in ("turns", "live", "about", "signal"))
    return Keys(history, turns, live, about, signal)


def session_of(key: bytes) -> str:
    """The session whose history is under this key; empty for any other key.

    Example: session_of(b"chat:a") -> "a"; session_of(b"{chat:a}:turns") -> ""
    """
    head, _, name = key.decode(errors="replace").partition(":")
    return name if head == "chat" and valid_session_id(name) else ""
