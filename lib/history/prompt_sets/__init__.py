"""The interface of a store of prompt runs: what was asked of which models, and every answer as soon as it is there.

A run belongs to one person. Its head, its prompts and its answers are JSON texts that lib/prompt_sets writes and reads;
the store does not look into them. Reading writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

KEPT_SECONDS = 90 * 86_400
"""How long a run is kept after its last write."""
MOST_RUNS = 200
"""Runs of one person."""
HELD_SECONDS = 6
"""How long a process that carries out a run holds it without saying so again."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run in the list. `is_held` says whether a process is carrying it out."""

    run_id: str
    head: str
    answers: int
    is_held: bool


class RunStore(Protocol):
    """Every method raises HistoryUnavailable if the store does not answer, and ValueError for an id that cannot be one
    (lib.history.valid_session_id)."""

    def create(self, owner: str, run_id: str, head: str, prompts: str, created_at: float) -> bool:
        """Store a new run, in seconds since the epoch. False if the person has MOST_RUNS already: nothing is stored."""

    def runs(self, owner: str) -> list[StoredRun]:
        """The person's runs, the newest first."""

    def run(self, owner: str, run_id: str) -> StoredRun | None:
        """One of them; None if there is no such run."""

    def prompts(self, owner: str, run_id: str) -> str | None:
        """The prompts of a run."""

    def answers(self, owner: str, run_id: str) -> Mapping[str, str]:
        """The answers of a run, by the names that `save_answer` was given."""

    def save_head(self, owner: str, run_id: str, head: str) -> bool:
        """Replace the head. False if the run was deleted: nothing is stored."""

    def save_answer(self, owner: str, run_id: str, name: str, answer: str) -> bool:
        """Store an answer, or replace it. False if the run was deleted: nothing is stored."""

    def hold(self, owner: str, run_id: str, holder: str) -> bool:
        """Hold a run for HELD_SECONDS, or go on holding it. False if somebody else holds it, or it was deleted."""

    def release(self, owner: str, run_id: str, holder: str) -> None:
        """Hold it no more. Does nothing if somebody else does."""

    def delete(self, owner: str, run_id: str) -> None:
        """Delete a run with its answers."""
