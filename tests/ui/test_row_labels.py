"""Options of a list of sessions never read the same, because Streamlit could not tell them apart."""

from __future__ import annotations

from lib.history.memory import InMemoryHistory
from lib.history.sessions import SessionQuery
from lib.ui.sessions.row_labels import labels
from tests.support.servers.redis_servers import TTL, say


def test_sessions_that_look_the_same_are_told_apart_by_their_ids() -> None:
    store = InMemoryHistory(TTL)
    for session_id, text in (("aaaaaaaa-1", "Hello"), ("bbbbbbbb-2", "Hello"), ("cccccccc-3", "Goodbye")):
        say(store, session_id, text)
    rows = store.find(SessionQuery(), None, 9).rows
    named = labels([*rows, rows[0]])
    assert len(set(named.values())) == len(named) == 3
    assert "aaaaaaaa" in named["aaaaaaaa-1"]
    assert "cccccccc" not in named["cccccccc-3"]
