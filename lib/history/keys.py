"""Names the Redis keys of a session.

    chat:<id>               string      JSON array of {role, content}, shared with other services
    {chat:<id>}:turns       stream      one entry per turn; the entry's id is the turn's number
    {chat:<id>}:live        string      the live turn; while it exists, no other turn can begin
    {chat:<id>}:about       hash        title, created_at, settings, pinned:<index>, muted:<index>, summaries, handles,
                                        import:<id>, lineage
    {chat:<id>}:signal      hash        the turn that was asked to stop, turns whose late writes are refused
    {chat:<id>}:bin:<receipt>  hash     a deleted session, for a minute; its keys are renamed to <this>:<part>
    chats                   sorted set  session ids by last activity; only an index, may list expired sessions
    {chats}:due             sorted set  the same ids by deadline, in seconds since the epoch
    {chats}:gone            sorted set  "deleted <id>" and "expired <id>" by when that was, for 30 days
    {chats}:names           hash        owner and title of each id in the two above, to tell of sessions that are gone
    {chats}:of:<owner>      sorted set  one person's session ids by last activity
    {chats}:pinned          sorted set  ids of pinned sessions by when they were pinned; {chats}:pinned:<owner> likewise
    {chats}:forks:<id>      sorted set  ids of the sessions that were forked from this one, by when

All five keys of a session are in one cluster slot, because a cluster hashes only the part between braces, and the whole
name of a key without braces. All keys of the index are in the slot of "chats".
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from lib.history import valid_session_id

INDEX = "chats"
NAMES = "{chats}:names"
INDEX_KEYS = (INDEX, "{chats}:due", "{chats}:gone", NAMES)
"""The keys of the index, in the order the scripts take them after those of the session."""
PINNED = "{chats}:pinned"


def owned_by(owner: str) -> str:
    """The sorted set of one person's sessions. Example: owned_by("ab") -> "{chats}:of:ab" """
    return f"{{{INDEX}}}:of:{owner}"


def pinned_by(owner: str) -> str:
    """The sorted set of one person's pinned sessions."""
    return f"{PINNED}:{owner}"


def forks_of(session_id: str) -> str:
    """The sorted set of the sessions that were forked from this one."""
    return f"{{{INDEX}}}:forks:{session_id}"


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


def bin_of(session_id: str, receipt: str) -> tuple[str, ...]:
    """The keys of a deleted session: the hash of its deadlines, then one for each key but the last, which stays."""
    name = f"{{{keys_of(session_id).history}}}:bin:{receipt}"
    return (name, *(f"{name}:{part}" for part in Keys._fields[:-1]))
