"""A book of votes in this process."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from lib.history.votes import MOST_VOTES, Vote


class MemoryVotes:
    """A VoteBook."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._votes: dict[str, dict[str, Vote]] = {}

    def cast(self, owner: str, vote: Vote) -> None:
        with self._lock:
            kept = self._votes.setdefault(owner, {})
            kept.setdefault(vote.id, vote)
            while len(kept) > MOST_VOTES:
                del kept[min(kept.values(), key=lambda each: (each.at, each.id)).id]

    def votes(self, owner: str) -> Sequence[Vote]:
        with self._lock:
            found = list(self._votes.get(owner, {}).values())
        return sorted(found, key=lambda vote: (-vote.at, vote.id))

    def forget(self, owner: str) -> None:
        with self._lock:
            self._votes.pop(owner, None)
