"""The interface of a book of votes: which of several hidden models a person preferred."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

MOST_VOTES = 1_000
"""Votes that are kept of one person. The oldest go first."""
KEPT_SECONDS = 365 * 86_400
"""How long votes are kept after the last one."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One choice. `shown` are the names of all that were compared; `winner` is one of them, or "" if none was better.

    `at` is seconds since the epoch.
    """

    id: str
    winner: str
    shown: tuple[str, ...]
    at: float

    def to_json(self) -> str:
        """As stored, without the id."""
        return json.dumps({"winner": self.winner, "shown": self.shown, "at": self.at}, ensure_ascii=False)

    @classmethod
    def read(cls, vote_id: str, stored: str) -> Vote | None:
        """From what is stored; None if it cannot be read."""
        try:
            found: Any = json.loads(stored)
            shown = tuple(str(name) for name in found["shown"])
            return cls(vote_id, str(found["winner"]), shown, float(found["at"]))
        except (ValueError, KeyError, TypeError):
            return None


class VoteBook(Protocol):
    """Every method raises HistoryUnavailable if the store does not answer."""

    def cast(self, owner: str, vote: Vote) -> None:
        """Keep a person's vote. One with the same id stays as it was first cast, so this may be repeated."""

    def votes(self, owner: str) -> Sequence[Vote]:
        """A person's votes, the newest first. Writes nothing."""

    def forget(self, owner: str) -> None:
        """Remove all votes of a person."""
