"""Another service that shares the app's store, and writes messages without turns."""

from __future__ import annotations

from collections.abc import Sequence

from lib.history import HistoryStore
from lib.history.memory import InMemoryHistory
from lib.messages import Message


def overwrite(store: HistoryStore, session_id: str, messages: Sequence[Message]) -> None:
    """Put these messages in place of the stored ones. The app cannot do that itself, so this reaches into the store."""
    assert isinstance(store, InMemoryHistory)
    store._write(session_id).messages = tuple(messages)
