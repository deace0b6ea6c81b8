"""What a person decided about single exchanges, beside the settings: pins, mutes, and the summary in force."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from lib.context.candidates import Summary


@dataclass(frozen=True, slots=True)
class Marks:
    """Pinned and muted exchanges, by the stored index of their user message, and the summary in force.

    A pinned exchange is always sent and a muted one never is; one that is in both is muted. Only the strategy
    `summarize` uses the summary.
    """

    muted: frozenset[int] = frozenset()
    pinned: frozenset[int] = frozenset()
    summary: Summary | None = None

    @classmethod
    def of(cls, muted: Collection[int] = (), pinned: Collection[int] = (), summary: Summary | None = None) -> Marks:
        """Marks from any collections of stored indexes."""
        return cls(frozenset(muted), frozenset(pinned), summary)

    def muting(self, index: int | None) -> Marks:
        """These marks with one more muted exchange: the one that a new message replaces. None mutes nothing.

        Example: Marks(pinned=frozenset({4})).muting(2) == Marks(frozenset({2}), frozenset({4}))
        """
        return self if index is None else replace(self, muted=self.muted | {index})


NO_MARKS = Marks()
