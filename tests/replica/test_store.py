"""The replica's store: what it forgets when it is full."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lib.replica.store import Conversation, Store, StoredObject


def test_a_full_store_forgets_what_was_not_used_for_longest() -> None:
    store = Store(most_entries=3, most_characters=100)
    for name in "abc":
        store.put(Conversation(name), 10)
    store.get(Conversation, "a")
    store.put(Conversation("d"), 10)
    assert [entry.id for entry in store.all(StoredObject)] == ["c", "a", "d"]
    next(entry for entry in store.all(StoredObject) if entry.id == "c").busy = True
    store.put(Conversation("e"), 90)
    assert {entry.id for entry in store.all(StoredObject)} == {"c", "e"}  # a busy entry is never forgotten


@given(st.lists(st.tuples(st.sampled_from(["put", "resize", "drop"]), st.integers(0, 9), st.integers(0, 60))))
def test_the_store_never_exceeds_its_bounds(steps: list[tuple[str, int, int]]) -> None:
    store = Store(most_entries=4, most_characters=100)
    for action, name, size in steps:
        entry = store.get(Conversation, f"{name}")
        if action == "put" and entry is None:
            store.put(Conversation(f"{name}"), size)
        elif action == "resize" and entry is not None:
            store.resize(entry, size)
        elif action == "drop":
            store.drop(f"{name}")
        entries = list(store.all(StoredObject))
        assert len(entries) <= 4
        assert sum(entry.characters for entry in entries) <= 100 or len(entries) == 1
