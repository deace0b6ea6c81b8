"""A store of prompt runs in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lib.history import valid_session_id
from lib.history.prompt_sets import HELD_SECONDS, MOST_RUNS, StoredRun


@dataclass(slots=True)
class _Run:
    head: str
    prompts: str
    created_at: float
    answers: dict[str, str] = field(default_factory=dict)
    holder: str = ""
    held_until: float = 0.0


class MemoryRuns:
    """A RunStore. `clock` gives seconds. It keeps runs until the app ends."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._runs: dict[str, dict[str, _Run]] = {}

    def create(self, owner: str, run_id: str, head: str, prompts: str, created_at: float) -> bool:
        _check(run_id)
        with self._lock:
            runs = self._runs.setdefault(owner, {})
            if len(runs) >= MOST_RUNS:
                return False
            runs[run_id] = _Run(head, prompts, created_at)
            return True

    def runs(self, owner: str) -> list[StoredRun]:
        with self._lock:
            runs = self._runs.get(owner, {})
            newest = sorted(runs, key=lambda run_id: (runs[run_id].created_at, run_id), reverse=True)
            return [self._stored(run_id, runs[run_id]) for run_id in newest]

    def run(self, owner: str, run_id: str) -> StoredRun | None:
        with self._lock:
            found = self._find(owner, run_id)
            return None if found is None else self._stored(run_id, found)

    def prompts(self, owner: str, run_id: str) -> str | None:
        with self._lock:
            found = self._find(owner, run_id)
            return None if found is None else found.prompts

    def answers(self, owner: str, run_id: str) -> Mapping[str, str]:
        with self._lock:
            found = self._find(owner, run_id)
            return {} if found is None else dict(found.answers)

    def save_head(self, owner: str, run_id: str, head: str) -> bool:
        with self._lock:
            found = self._find(owner, run_id)
            if found is not None:
                found.head = head
            return found is not None

    def save_answer(self, owner: str, run_id: str, name: str, answer: str) -> bool:
        with self._lock:
            found = self._find(owner, run_id)
            if found is not None:
                found.answers[name] = answer
            return found is not None

    def hold(self, owner: str, run_id: str, holder: str) -> bool:
        with self._lock:
            found = self._find(owner, run_id)
            if found is None or (self._is_held(found) and found.holder != holder):
                return False
            found.holder, found.held_until = holder, self._clock() + HELD_SECONDS
            return True

    def release(self, owner: str, run_id: str, holder: str) -> None:
        with self._lock:
            found = self._find(owner, run_id)
            if found is not None and found.holder == holder:
                found.holder = ""

    def delete(self, owner: str, run_id: str) -> None:
        _check(run_id)
        with self._lock:
            self._runs.get(owner, {}).pop(run_id, None)

    def _find(self, owner: str, run_id: str) -> _Run | None:
        _check(run_id)
        return self._runs.get(owner, {}).get(run_id)

    def _is_held(self, run: _Run) -> bool:
        return bool(run.holder) and run.held_until > self._clock()

    def _stored(self, run_id: str, run: _Run) -> StoredRun:
        return StoredRun(run_id, run.head, len(run.answers), self._is_held(run))


def _check(run_id: str) -> None:
    if not valid_session_id(run_id):
        raise ValueError(f"not a run id: {run_id!r}")
