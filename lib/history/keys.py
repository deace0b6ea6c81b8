"""Names the Redis keys of a session.

    chat:<id>               string      JSON array of {role, content}, shared with other services
    {chat:<id>}:turns       stream      one entry per turn; the entry's id is the turn's number
    {chat:<id>}:live        string      the live turn; while it exists, no other turn can begin
    {chat:<id>}:about       hash        title, created_at, settings, pinned:<index>, muted:<index>, summaries, handles,
                                        import:<id>, lineage
    {chat:<id>}:signal      hash        the turn that was asked to stop, turns whose late writes are refused
    chats                   sorted set  session ids by last activity; only an index, may list expired sessions

All five keys of a session are in one cluster slot, because a cluster hashes only the part between braces, and the whole
name of a key without braces.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from lib.history import valid_session_id

INDEX = "chats"


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
