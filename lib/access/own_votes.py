"""OwnVotes: the book of votes as one person may use it."""

from __future__ import annotations

from collections.abc import Sequence

from lib.history.votes import Vote, VoteBook


class OwnVotes:
    """One person's votes, and nobody else's. Every method raises HistoryUnavailable if the store does not answer."""

    def __init__(self, book: VoteBook, owner: str) -> None:
        self._book = book
        self._owner = owner

    def cast(self, vote: Vote) -> None:
        """Keep a vote, unless there is one with its id."""
        self._book.cast(self._owner, vote)

    def votes(self) -> Sequence[Vote]:
        """The votes, the newest first."""
        return self._book.votes(self._owner)

    def forget(self) -> None:
        """Remove all of them."""
        self._book.forget(self._owner)
