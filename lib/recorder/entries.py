"""The list of what passed through the recorder, newest first: one line for each request, recorded or not."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lib.errors import ChatError
from lib.history import HistoryStore
from lib.turns import PlanSummary, Turn

KEPT = 200
SESSIONS_LOOKED_AT, TURNS_OF_EACH = 20, 10
"""How far back the list reaches after a start: into so many sessions of the store, and turns of each."""

State = Literal["running", "recorded", "passed on"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. `at` is seconds since the epoch; `id` is that of its turn. Tokens as the server reported them."""

    id: str
    at: float
    path: str
    endpoint: str
    state: State = "running"
    session_id: str = ""
    model: str = ""
    status: int | None = None
    sent: int = 0
    left_out: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    note: str = ""
    turn: int | None = None
    """The number of its turn, once that is stored."""


class Entries:
    """The newest requests. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._looked = False
        self.revision = 0
        """Grows with every change."""

    def put(self, entry: Entry) -> None:
        """A new state of a request."""
        with self._lock:
            self._entries[entry.id] = entry
            self.revision += 1
            while len(self._entries) > KEPT:
                self._entries.popitem(last=False)

    def newest(self, store: HistoryStore, limit: int = KEPT) -> list[Entry]:
        """The newest first. The first call also looks for what was recorded before this process started.

        Raises HistoryUnavailable if that fails; then the next call tries again.
        """
        if not self._looked:
            earlier = _recorded_before(store)
            with self._lock:
                self._entries = OrderedDict({entry.id: entry for entry in earlier} | self._entries)
                self._looked = True
        with self._lock:
            return sorted(self._entries.values(), key=lambda entry: entry.at, reverse=True)[:limit]


def messages_sent(plan: PlanSummary) -> int:
    """How many messages of the conversation a request held, without its instructions."""
    return plan.sent - (plan.system_tokens is not None)


def _recorded_before(store: HistoryStore) -> Sequence[Entry]:
    """The recorded turns of the newest sessions, oldest first. A session that cannot be read is passed over."""
    found: list[Entry] = []
    for session in store.sessions(SESSIONS_LOOKED_AT):
        try:
            turns = store.turns(session.session_id, TURNS_OF_EACH)
        except ChatError:
            continue
        found += [_entry(session.session_id, turn) for turn in turns if turn.recorded is not None]
    return sorted(found, key=lambda entry: entry.at)


def _entry(session_id: str, turn: Turn) -> Entry:
    recorded, plan = turn.recorded, turn.plan
    assert recorded is not None
    return Entry(
        turn.id,
        turn.started_at,
        recorded.path,
        turn.provider,
        "recorded",
        session_id,
        turn.model,
        recorded.status,
        0 if plan is None else messages_sent(plan),
        0 if plan is None else plan.left_out,
        turn.usage.input_tokens,
        turn.usage.output_tokens,
        turn.note,
        turn.number,
    )
