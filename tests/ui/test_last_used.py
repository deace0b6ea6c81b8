"""What belongs to browser sessions is kept in a bounded number, and what is dropped is closed."""

from __future__ import annotations

import pytest

from lib.ui.shell.last_used import LastUsed


def test_the_values_used_last_are_kept_and_the_dropped_one_is_closed() -> None:
    dropped: list[int] = []
    kept = LastUsed[int](2, dropped.append)
    kept["a"], kept["b"] = 1, 2
    assert kept["a"] == 1
    kept["c"] = 3
    assert dict(kept) == {"a": 1, "c": 3}
    assert dropped == [2]


def test_asking_for_what_is_gone_is_a_key_error_or_none_and_drops_nothing() -> None:
    kept = LastUsed[int](2)
    kept["a"] = 1
    assert kept.get("b") is None
    assert "b" not in kept
    with pytest.raises(KeyError):
        kept["b"]
    del kept["a"]
    assert len(kept) == 0


def test_a_value_can_be_replaced_without_making_room() -> None:
    dropped: list[int] = []
    kept = LastUsed[int](1, dropped.append)
    kept["a"] = 1
    kept["a"] = 2
    assert dict(kept) == {"a": 2}
    assert dropped == []
