"""StoredMessages behaves like a tuple of messages and returns the same objects every time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.history.stored_messages import StoredMessages
from lib.messages import Message

STORED: list[dict[str, Any]] = [
    {"role": ("user", "assistant")[number % 2], "content": f"message {number}"} for number in range(20)
]
AS_TUPLE = tuple(Message.from_dict(stored) for stored in STORED)

places = st.none() | st.integers(-25, 25)


@given(places, places, st.none() | st.integers(-5, 5).filter(bool))
def test_every_slice_equals_the_slice_of_a_tuple(start: int | None, stop: int | None, step: int | None) -> None:
    assert StoredMessages(STORED)[start:stop:step] == AS_TUPLE[start:stop:step]


@given(st.integers(-25, 25))
def test_every_index_gives_the_item_of_a_tuple(at: int) -> None:
    history = StoredMessages(STORED)
    if -20 <= at < 20:
        assert history[at] == AS_TUPLE[at]
        assert history[at] is history[at]
    else:
        with pytest.raises(IndexError):
            history[at]


def test_comparing_searching_and_reversing_work_as_for_a_tuple() -> None:
    history = StoredMessages(STORED)
    assert history == StoredMessages(STORED)
    assert history == AS_TUPLE
    assert history != AS_TUPLE[1:]
    assert history != "messages"
    assert AS_TUPLE[3] in history
    assert history.index(AS_TUPLE[3]) == 3
    assert list(reversed(history)) == list(reversed(AS_TUPLE))
    assert not StoredMessages(())


@pytest.mark.parametrize("used", ["nothing", "the end", "everything"])
def test_a_longer_history_shares_the_objects_of_the_shorter_one(used: str) -> None:
    shorter = StoredMessages(STORED)
    if used != "nothing":
        assert shorter[-1 if used == "the end" else 0 :]
    longer = shorter.extended([{"role": "user", "content": "more"}])
    assert (len(shorter), len(longer)) == (20, 21)
    assert longer[-1].content == "more"
    assert all(old is new for old, new in zip(shorter, longer, strict=False))


def test_two_histories_extended_from_the_same_one_are_independent() -> None:
    base = StoredMessages(STORED)
    one, other = (base.extended([{"role": "user", "content": text}]) for text in ("one", "other"))
    assert (one[-1].content, other[-1].content) == ("one", "other")
    assert all(mine is theirs for mine, theirs in zip(one[:-1], other[:-1], strict=True))
    assert base == AS_TUPLE


def test_concurrent_threads_get_the_same_message_object() -> None:
    history = StoredMessages(STORED * 100)
    gate = threading.Barrier(8)
    found: list[list[Message]] = []

    def use(backwards: bool) -> None:
        gate.wait()
        order = range(len(history))
        found.append(sorted((history[at] for at in (reversed(order) if backwards else order)), key=id))

    threads = [threading.Thread(target=use, args=(number % 2 == 0,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine is first for messages in found for mine, first in zip(messages, found[0], strict=True))
