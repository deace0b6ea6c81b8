"""The runs of prompt sets as one person may use them: their own ones, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from lib.access import Person
from lib.errors import NotYours
from lib.history.prompt_sets import RunStore

METHODS = (*("create", "runs", "run", "prompts", "answers", "save_head", "save_answer", "hold", "release", "delete"),)
"""Every method takes the owner first. One that is not named here is refused."""


class OwnRuns:
    """The store of runs behind the gate. It has the methods of RunStore, each for one owner only."""

    def __init__(self, person: Person, store: RunStore) -> None:
        self._person = person
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in METHODS:
            raise AttributeError(f"the gate does not let anybody through to {name!r}")
        method = getattr(self._store, name)

        def gated(owner: str, *arguments: Any, **named: Any) -> Any:
            if owner != self._person.id or not self._person.is_known:
                raise NotYours("This run belongs to someone else.", next_step="Start a run of your own.")
            return method(owner, *arguments, **named)

        return gated


def own_runs(person: Person, store: RunStore) -> RunStore:
    """The store behind the gate."""
    return cast(RunStore, OwnRuns(person, store))
