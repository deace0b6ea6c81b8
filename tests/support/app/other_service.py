"""Acts as another service that shares the app's store and writes messages without turns."""

from __future__ import annotations

from collections.abc import Sequence

from lib.history import HistoryStore
from lib.history.memory import InMemoryHistory
from lib.messages import Message


def overwrite(store: HistoryStore, session_id: str, messages: Sequence[Message]) -> None:
    """Replace the stored messages, which the app itself never does."""
    assert isinstance(store, InMemoryHistory)
    store.overwrite(session_id, messages)
