"""A recording brings everything that belongs to its session: bytes, marks, summaries, imports, numbers, prices."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lib.context.candidates import Summary
from lib.errors import ImportRefused
from lib.history import About, HistoryStore, Import, Recording
from lib.messages import Message, assistant, user
from tests.support.servers.redis_servers import prompt, record, say

STORED = b' [ {"role": "user", "content": "I am \\u0041da", "x": 1e2},\n {"content":"Hi!","role":"assistant"} ]\n'
MESSAGES = [Message.from_dict(each) for each in json.loads(STORED)]
ABOUT = About(
    created_at=1_234_567.0625,
    muted=frozenset({0}),
    pinned=frozenset({0, 2}),
    summaries=(Summary("They met.", ((0, 2),), "m", 5.5), Summary("They met \ud83d twice.", ((0, 1), (1, 2)))),
    imports=(Import(0, 1, "a file", 7.25), Import(1, 1, "a \u201cfile\u201d", 8.0)),
    prices={"openai/m": {"input": [[0, "0.10"]]}},
)
TURNS = [record(prompt("I am Ada", id="a"), number=2), record(prompt("Who?", id="b"), number=5)]
WHOLE = Recording("A talk,  named  " + "by hand " * 12, MESSAGES, TURNS, {"model": "m"}, "f", ABOUT, True, STORED)


def test_everything_of_the_session_comes_back(store: HistoryStore) -> None:
    store.restore("s", WHOLE)
    assert store.raw("s") == STORED
    about = store.about("s")
    assert about.title == " ".join(WHOLE.title.split())
    assert (about.created_at, about.muted, about.pinned) == (ABOUT.created_at, ABOUT.muted, ABOUT.pinned)
    assert (about.summaries, about.prices) == (ABOUT.summaries, ABOUT.prices)
    assert [each for each in about.imports if not each.whole] == list(ABOUT.imports)
    assert [(each.first, each.count, each.source) for each in about.imports if each.whole] == [(0, 2, "f")]
    assert [(turn.number, turn.id) for turn in store.turns("s")] == [(2, "a"), (5, "b")]
    assert store.turn("s", 5) == store.turns("s")[-1]
    assert (store.turn("s", 1), store.turn("s", 3)) == (None, None)


def test_it_goes_on_from_its_numbers_and_bytes(store: HistoryStore) -> None:
    store.restore("s", WHOLE)
    say(store, "s", "And now?")
    assert [turn.number for turn in store.turns("s")] == [2, 5, 6]
    assert [message.text for message in store.load("s")] == ["I am Ada", "Hi!", "And now?", "Hi!"]
    assert json.loads(store.raw("s") or b"") == [message.to_dict() for message in store.load("s")]


@pytest.mark.parametrize("numbers", [(0, 0), (2, 2), (3, 1)])
def test_numbers_that_do_not_increase_are_not_kept(store: HistoryStore, numbers: tuple[int, int]) -> None:
    turns = [replace(turn, number=number) for turn, number in zip(TURNS, numbers, strict=True)]
    store.restore("s", replace(WHOLE, turns=turns))
    assert [turn.number for turn in store.turns("s")] == [1, 2]


def test_bytes_of_other_messages_are_not_stored(store: HistoryStore) -> None:
    for stored in (b'[{"role":"user","content":"other"}]', b'[{"role":"user"', b"{}", b"\xff"):
        with pytest.raises(ValueError, match="stored"):
            store.restore("s", replace(WHOLE, stored=stored))
    assert (store.raw("s"), store.turns("s"), store.about("s")) == (None, [], About())


def test_a_message_that_could_not_be_read_back_is_not_restored(store: HistoryStore) -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    with pytest.raises(ImportRefused, match="Message 2 is nested"):
        store.restore("s", Recording("", [user("a"), Message("user", deep), assistant("b")], [], {}, "f"))
    assert (store.raw("s"), store.sessions(10)) == (None, [])
