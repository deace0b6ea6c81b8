"""Values that cannot be parsed are shown as they are and never overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lib.errors import CorruptHistory, TurnInProgress
from lib.history.redis import RedisHistory
from lib.history.serialization import CHECKED_BYTES
from tests.support.servers.redis_servers import as_dicts, commit, prompt, say

GOOD = b'{"role":"user","content":"Hello"}'
BROKEN = {
    b"hello": "byte 0",
    b"": "byte 0",
    b"{}": "byte 0",
    b"42": "byte 0",
    b"null": "byte 0",
    b'"[]"': "byte 0",
    b"[1,2] \n": "array position 0",
    b"[1,2]": "array position 0",
    b"[" + GOOD + b',{"content":"no role"}]': "array position 1",
    b"[" + GOOD + b",[]]": "array position 1",
    b"[" + GOOD + b',{"role":7}]': "array position 1",
    b'[{"role":"user","content":"cut o': "byte 26",
    b"[" + GOOD: "byte 34",
    b"[" + GOOD + b",]": "byte 35",
    b"[" + GOOD + b"]]": "byte 35",
    b"[" + GOOD + b',"\xff"]': "byte 36",
    b'[{"role":"user","content":NaN}]': "",
    b"[" * 100_000: "",
    b"\xef\xbb\xbf[]": "byte 0",
}


@pytest.mark.parametrize(("value", "where"), [pytest.param(v, w, id=repr(v[:40])) for v, w in BROKEN.items() if v])
@pytest.mark.parametrize("known", [True, False], ids=["read before", "never read"])
def test_a_broken_value_is_shown_and_left_alone(
    client: Any, open_store: Callable[[], RedisHistory], value: bytes, where: str, known: bool
) -> None:
    store = open_store()
    if known:
        say(store, "s")
        store.load("s")
        client.delete("chat:s", "{chat:s}:turns")
    client.set("chat:s", value, ex=100)
    with pytest.raises(CorruptHistory) as caught:
        store.load("s")
    assert caught.value.raw == value
    assert caught.value.where.startswith(where)
    assert store.raw("s") == value
    live = prompt()
    store.begin("s", live)
    with pytest.raises(CorruptHistory) as caught:
        commit(store, "s", live)
    assert caught.value.raw == value
    assert client.get("chat:s") == value
    assert client.exists("{chat:s}:turns") == 0
    assert store.live("s") is not None  # the prompt and the reply are not lost
    store.clear("s")  # clearing is still possible
    assert client.exists("chat:s") == 0


@pytest.mark.parametrize("value", [b"hello", b"{}", b"[1,2] \n", b"[" + GOOD, b"[" + GOOD + b",]", b"]", b"[", b" "])
def test_a_commit_refuses_a_value_that_broke_after_it_was_read(
    client: Any, redis_store: RedisHistory, value: bytes
) -> None:
    say(redis_store, "s")
    redis_store.load("s")
    live = prompt()
    redis_store.begin("s", live)
    client.set("chat:s", value, keepttl=True)
    before = {key: client.dump(key) for key in client.scan_iter()}
    with pytest.raises(CorruptHistory, match="nothing was added"):
        commit(redis_store, "s", live)
    assert before == {key: client.dump(key) for key in client.scan_iter()}


@pytest.mark.parametrize("key", ["chat:s", "{chat:s}:turns", "{chat:s}:live", "{chat:s}:about", "{chat:s}:signal"])
def test_a_key_of_another_type_is_left_alone(client: Any, open_store: Callable[[], RedisHistory], key: str) -> None:
    store = open_store()
    say(store, "s")
    live = prompt()
    store.begin("s", live)
    client.delete(key)
    client.rpush(key, "foreign")
    before = {name: client.dump(name) for name in client.scan_iter()}
    for write in (
        lambda: commit(store, "s", live),
        lambda: store.heartbeat("s", live),
        lambda: store.begin("s", live),
        lambda: store.save_settings("s", {}),
    ):
        with pytest.raises(CorruptHistory):
            write()
    client.zadd("chats", {"s": client.zscore("chats", "s")})
    del before[b"chats"]
    assert before == {name: client.dump(name) for name in client.scan_iter() if name != b"chats"}
    if key == "chat:s":
        with pytest.raises(CorruptHistory, match="a Redis list"):
            store.load("s")
        assert store.raw("s") == b"(a Redis list)"
    store.clear("s")
    say(store, "s")
    assert len(store.load("s")) == 2


@pytest.mark.parametrize("value", [b"[]", b"[ ]", b"[\n]\n", b" []"])
def test_an_empty_array_is_a_history_however_it_is_formatted(
    client: Any, redis_store: RedisHistory, value: bytes
) -> None:
    client.set("chat:s", value)
    assert list(redis_store.load("s")) == []
    say(redis_store, "s")
    say(redis_store, "s")
    assert len(redis_store.load("s")) == 4


@pytest.mark.parametrize("blank", [b"", b"\n", b"  \r\n\t "])
def test_an_array_with_any_whitespace_is_a_history(
    client: Any, open_store: Callable[[], RedisHistory], blank: bytes
) -> None:
    store = open_store()
    client.set("chat:s", blank + b"[\n  " + GOOD + blank + b"]" + blank)
    assert len(store.load("s")) == 1
    for count in (3, 5):
        say(store, "s")
        assert len(store.load("s")) == count
        assert as_dicts(open_store().load("s")) == as_dicts(store.load("s"))


BLANKS = [63, 64, 65, 500, 4_095, 4_096, 4_097, 100_000]


@pytest.mark.parametrize("count", BLANKS)
@pytest.mark.parametrize("where", ["before", "after", "inside", "everywhere", "between"])
def test_what_can_be_read_can_be_added_to_however_many_blanks_it_has(
    client: Any, open_store: Callable[[], RedisHistory], count: int, where: str
) -> None:
    blank = (b" \n\t\r" * count)[:count]
    value = {
        "before": blank + b"[" + GOOD + b"]",
        "after": b"[" + GOOD + b"]" + blank,
        "inside": b"[" + blank + GOOD + blank + b"]",
        "everywhere": blank + b"[" + blank + GOOD + blank + b"]" + blank,
        "between": b"[" + GOOD + blank + b"," + blank + GOOD + b"]",
    }[where]
    client.set("chat:s", value, ex=100)
    store = open_store()
    size = len(store.load("s"))
    say(store, "s")
    say(store, "s")
    assert client.get("chat:s").startswith(value[: len(value) - (count if where in ("after", "everywhere") else 0) - 1])
    assert len(store.load("s")) == len(open_store().load("s")) == size + 4


@pytest.mark.parametrize("count", BLANKS)
def test_an_empty_array_can_be_added_to_however_many_blanks_it_has(
    client: Any, redis_store: RedisHistory, count: int
) -> None:
    blank = b" " * count
    for value in (blank + b"[]" + blank, b"[" + blank + b"]", b"[]" + blank):
        client.set("chat:s", value, ex=100)
        assert list(redis_store.load("s")) == []
        say(redis_store, "s")
        assert len(redis_store.load("s")) == 2
        redis_store.clear("s")


@pytest.mark.parametrize(
    "value",
    [
        b"[1" + b" " * 500 + b"]",
        b" " * 500 + b"{" + GOOD + b"}" + b" " * 500,
        b" " * 9_000,
        b" " * 500 + b"]",
        b"[" + b" " * 500,
        b" " * 500 + GOOD + b"]",
        b"[" + GOOD + b"," + b" " * 500 + b"]",
    ],
)
def test_a_commit_refuses_a_broken_value_with_many_blanks(client: Any, redis_store: RedisHistory, value: bytes) -> None:
    say(redis_store, "s")
    redis_store.load("s")
    live = prompt()
    redis_store.begin("s", live)
    client.set("chat:s", value, ex=100)
    with pytest.raises(CorruptHistory, match="nothing was added"):
        commit(redis_store, "s", live)
    assert client.get("chat:s") == value


def nested(levels: int) -> bytes:
    """A message that is nested so deep."""
    return b'{"role":"user","content":' + b'[{"a":' * (levels // 2) + b"1" + b"}]" * (levels // 2) + b"}"


@pytest.mark.parametrize("levels", [102, 500, 990, 5_000])
@pytest.mark.parametrize("half", [b"", b'{"role":"user","content":"\\ud83d"},'], ids=["", "with half an emoji"])
def test_a_message_that_is_nested_too_deeply_is_shown_and_left_alone(
    client: Any, redis_store: RedisHistory, levels: int, half: bytes
) -> None:
    value = b"[" + half + nested(levels) + b"]"
    client.set("chat:s", value)
    with pytest.raises(CorruptHistory) as caught:
        redis_store.load("s")
    assert caught.value.raw == value
    assert redis_store.raw("s") == value


def test_a_message_with_many_brackets_is_no_deep_one(client: Any, redis_store: RedisHistory) -> None:
    wide = b'{"role":"user","content":[' + b",".join([b'{"type":"text","text":"[[["}'] * 300) + b"]}"
    client.set("chat:s", b"[" + wide + b"," + nested(98) + b"]")
    assert len(redis_store.load("s")) == 2
    assert redis_store.load("s")[1].text


def test_an_unreadable_turn_has_a_note_that_names_it(client: Any, redis_store: RedisHistory) -> None:
    say(redis_store, "s")
    client.xadd("{chat:s}:turns", {"turn": "rubbish"}, id="2-0")
    client.xadd("{chat:s}:turns", {"other": "field"}, id="3-0")
    say(redis_store, "s")
    for number in (2, 3):
        found = redis_store.turn("s", number)
        assert found is not None
        assert f"turn {number} cannot be read" in found.note
        assert (found.prompt, found.plan, found.number) == ("", None, number)
    assert [bool(turn.note) for turn in redis_store.turns("s")] == [False, True, True, False]
    newest = redis_store.turn("s", 4)
    assert newest is not None
    assert newest.number == 4
    assert len(redis_store.load("s")) == 4


@pytest.mark.parametrize("value", [b"rubbish", b"{}", b"[]", b'{"id":"x","beat":"no"}', b'{"id":"x","beat":1}'])
def test_an_unreadable_live_record_blocks_its_session_until_it_is_cleared(
    client: Any, redis_store: RedisHistory, value: bytes
) -> None:
    client.set("{chat:s}:live", value)
    with pytest.raises(CorruptHistory) as caught:
        redis_store.live("s")
    assert caught.value.raw == value
    with pytest.raises(TurnInProgress):
        redis_store.begin("s", prompt())
    assert client.get("{chat:s}:live") == value
    redis_store.clear("s")
    say(redis_store, "s")


@pytest.mark.parametrize(
    "fields",
    [
        {"settings": "rubbish"},
        {"settings": "[]"},
        {"created_at": "x"},
        {"muted:x": 1},
        {"pinned:x": 1},
        {"summaries": "{}"},
        {"summaries": "[1]"},
        {"summaries": '[{"text": "x"}]'},
    ],
)
def test_damaged_settings_raise_an_error(client: Any, redis_store: RedisHistory, fields: dict[str, Any]) -> None:
    client.hset("{chat:s}:about", mapping=fields)
    with pytest.raises(CorruptHistory, match="about this session"):
        redis_store.about("s")


@pytest.mark.parametrize("letters", ["é", "“", "😀"])
@pytest.mark.parametrize("shift", range(4))
def test_a_letter_that_spans_two_checked_pieces_is_read(redis_store: RedisHistory, letters: str, shift: int) -> None:
    text = "x" * shift + letters * CHECKED_BYTES
    say(redis_store, "s", text)
    assert redis_store.load("s")[0].text == text


@pytest.mark.parametrize("shift", range(4))
def test_broken_encoding_far_from_the_beginning_is_found(client: Any, redis_store: RedisHistory, shift: int) -> None:
    start = b'[{"role":"user","content":"' + b"x" * (CHECKED_BYTES + shift)
    client.set("chat:s", start + b'\xf0\x9f\x98"}]')
    with pytest.raises(CorruptHistory) as caught:
        redis_store.load("s")
    assert caught.value.where == f"byte {len(start)}: not UTF-8"
