"""The names of the keys in Redis.

    chat:<id>               string      JSON array of {role, content}, shared with other services
    {chat:<id>}:turns       stream      one entry per turn; the entry's id is the turn's number
    {chat:<id>}:live        string      the record of the turn being answered; it is the lock
    {chat:<id>}:about       hash        title, created_at, settings, pinned:<index>, muted:<index>, summaries, handles,
                                        import:<id>, lineage
    {chat:<id>}:signal      hash        which turn was asked to stop, which turns are refused
    chats                   sorted set  session ids by last activity; an index, never the truth

All five keys of a session are in one cluster slot. A cluster hashes what stands between braces, and the whole name of a
key without braces.
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
"""What Redis calls the type of each key."""


@lru_cache(maxsize=1024)
def keys_of(session_id: str) -> Keys:
    """Raises ValueError for an id that cannot be one.

    Example: keys_of("a").turns -> "{chat:a}:turns"
    """
    if not valid_session_id(session_id):
        raise ValueError(f"not a session id: {session_id!r}")
    history = f"chat:{session_id}"
    turns, live, about, signal = (f"{{{history}}}:{part}" for part in ("turns", "live", "about", "signal"))
    return Keys(history, turns, live, about, signal)
