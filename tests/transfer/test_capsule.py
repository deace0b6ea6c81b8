"""A capsule brings sessions back exactly: exported again it has the same bytes. A changed byte is noticed and said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.context.candidates import Summary
from lib.errors import HistoryUnavailable, ImportRefused
from lib.example.recording import recorded
from lib.history import About, ConversationStore, Import, Recording
from lib.history.client import connect
from lib.history.memory import InMemoryHistory
from lib.history.redis import RedisHistory
from lib.messages import Message, Usage, assistant, user
from lib.pricing.model import Model, Rates
from lib.transfer.capsule.write import recording_of, tail, write
from lib.transfer.importing import store_rows
from lib.transfer.opened import open_file
from lib.turns import Turn
from tests.support.servers.redis_servers import SETTINGS, TTL, RedisServer, say
from tests.test_any_history import json_values
from tests.test_any_history import messages as message_objects

RATE = ((0, Decimal("1.25")), (200_000, Decimal("2.50")))
MODEL = Model("test-model", "openai", "Test", 1_000, 100, Rates(RATE, RATE, RATE, RATE), "a list")

texts = st.text(st.characters(), max_size=30)
times = st.floats(0, 2e9)
turns = st.builds(
    Turn,
    id=texts,
    prompt=texts,
    reply=texts,
    status=st.sampled_from(["complete", "stopped"]),
    provider=st.sampled_from(["openai", "local", ""]),
    model=texts,
    system_prompt=texts,
    started_at=times,
    request=st.dictionaries(texts, json_values, max_size=3),
    request_sha256=texts | st.none(),
    usage=st.builds(Usage, st.integers(0, 10**6) | st.none(), st.none(), st.none(), st.integers(0, 10**6)),
    note=st.text(max_size=10) | st.just("n" * 3_000),
    reasoning=st.just("") | texts,
    number=st.integers(0, 9),
)


@st.composite
def sessions(draw: st.DrawFn) -> Recording:
    """Any session that a store can hold, its messages written in any way."""
    said = draw(st.lists(message_objects, min_size=1, max_size=4))
    stored = json.dumps(said, indent=draw(st.sampled_from([None, 2])), ensure_ascii=draw(st.booleans()))
    marks = st.frozensets(st.integers(0, len(said) - 1))
    summaries = st.builds(Summary, texts, st.just(((0, 1),)), texts, times)
    imports = st.builds(Import, st.integers(0, 3), st.integers(0, 3), texts, times)
    about = About(
        created_at=draw(times | st.none()),
        muted=draw(marks),
        pinned=draw(marks),
        summaries=tuple(draw(st.lists(summaries, max_size=2))),
        imports=tuple(draw(st.lists(imports, max_size=2))),
    )
    blanks = draw(st.sampled_from(["", " \n"]))
    raw = (blanks + stored + blanks).encode(errors="backslashreplace")
    messages = [Message.from_dict(each) for each in json.loads(raw)]
    settings = draw(st.dictionaries(st.sampled_from(["model", "strategy", "api_key"]), texts, max_size=3))
    found = draw(st.lists(turns, max_size=3))
    return Recording(draw(texts), messages, found, settings, "elsewhere", about, draw(st.booleans()), raw)


def find(provider: str, model: str) -> Model | None:
    return MODEL if provider == "openai" else None


def exported(store: ConversationStore, *session_ids: str, title: str = "", note: str = "") -> bytes:
    return write([recording_of(store, each, find) for each in session_ids], title, note)


def imported(store: ConversationStore, capsule: bytes, **how: Any) -> list[str]:
    opened = open_file("c.json", capsule)
    outcome = store_rows(store, opened, opened.rows, **how)
    assert (outcome.error, outcome.refused) == (None, [])
    return [each.session_id for each in outcome.imported]


@pytest.fixture(scope="module")
def open_redis() -> Iterator[Callable[[], RedisHistory]]:
    server = RedisServer().start()
    opened: list[RedisHistory] = []

    def open_one() -> RedisHistory:
        with server.client() as client:
            client.flushall()
        opened.append(RedisHistory(connect(server.url), TTL))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()
    server.close()


@given(st.lists(sessions(), min_size=1, max_size=2), texts, texts)
def test_a_capsule_is_the_same_after_a_round_through_memory(made: list[Recording], title: str, note: str) -> None:
    check_round(InMemoryHistory(TTL), InMemoryHistory(TTL), made, title, note)


@given(st.lists(sessions(), min_size=1, max_size=2))
def test_a_capsule_is_the_same_after_a_round_through_redis(
    open_redis: Callable[[], RedisHistory], made: list[Recording]
) -> None:
    store = open_redis()
    check_round(store, InMemoryHistory(TTL), made, "", "")
    check_round(InMemoryHistory(TTL), store, made, "", "")


def check_round(
    first: ConversationStore, second: ConversationStore, made: list[Recording], title: str, note: str
) -> None:
    names = [f"s{place}-{id(first)}" for place in range(len(made))]
    for name, recording in zip(names, made, strict=True):
        first.restore(name, recording)
    capsule = exported(first, *names, title=title, note=note)
    again = imported(second, capsule, copies=True)
    opened = open_file("c.json", capsule)
    assert opened.changed == ""
    assert exported(second, *again, title=opened.title, note=opened.note) == capsule
    assert [second.raw(each) for each in again] == [first.raw(each) for each in names]
    assert [len(second.turns(each)) for each in again] == [len(each.turns) for each in made]


def talk() -> InMemoryHistory:
    store = InMemoryHistory(TTL)
    say(store, "s", "I am Ada")
    say(store, "s", "Who am I?")
    store.save_settings("s", SETTINGS.to_dict() | {"api_key": "sk-secret"})
    store.mark("s", 2, "pinned")
    store.keep_handles("s", {"openai": {"conversation": "conv_secret"}})
    return store


def test_it_holds_what_the_session_has_and_no_secret() -> None:
    capsule = json.loads(exported(talk(), "s"))
    session = capsule["sessions"][0]
    assert json.loads(session["messages"]) == [
        message.to_dict() for message in (user("I am Ada"), assistant("Hi!"), user("Who am I?"), assistant("Hi!"))
    ]
    assert [(turn["number"], turn["prompt"]) for turn in session["turns"]] == [(1, "I am Ada"), (2, "Who am I?")]
    assert session["settings"] == SETTINGS.to_dict()
    assert session["pinned"] == [2]
    assert session["prices"]["openai/test-model"]["input"] == [[0, "1.25"], [200_000, "2.50"]]
    assert "secret" not in json.dumps(capsule)


def test_every_changed_byte_is_noticed_and_said() -> None:
    capsule = exported(talk(), "s", title="Lesson 1", note="Read it.")
    for at in range(len(capsule)):
        changed = capsule[:at] + bytes([capsule[at] ^ 1]) + capsule[at + 1 :]
        try:
            opened = open_file("c.json", changed)
        except ImportRefused:
            continue
        assert opened.changed or opened.format != "capsule", at
    for shorter in (capsule[:-1], capsule + b"\n", capsule.replace(b"\n", b"\r\n")):
        assert open_file("c.json", shorter).changed


@pytest.mark.parametrize(
    ("written", "instead", "part"),
    [
        (r"I am Ada\"", r"I am Eve\"", "its messages"),
        ('"prompt":"Who am I?"', '"prompt":"Who are you?"', "the records of its turns"),
        ('"pinned":[2]', '"pinned":[0]', "its title, settings or marks"),
        ('"model":"test-model","system_prompt":"Be brief."', '"model":"m","system_prompt":""', "settings"),
    ],
)
def test_a_changed_session_is_refused_and_its_part_is_named(written: str, instead: str, part: str) -> None:
    capsule = exported(talk(), "s").decode()
    assert written in capsule
    with pytest.raises(ImportRefused, match=f"{part}.* changed after the export"):
        open_file("c.json", capsule.replace(written, instead, 1).encode())


def test_a_capsule_that_was_only_laid_out_anew_comes_in_and_says_so() -> None:
    capsule = exported(talk(), "s")
    pretty = json.dumps(json.loads(capsule), indent=2, sort_keys=False).encode()
    opened = open_file("c.json", pretty)
    assert (opened.changed, [row.refusal for row in opened.rows]) == (
        "This file was changed after it was exported.",
        [""],
    )
    store = InMemoryHistory(TTL)
    assert exported(store, *imported(store, pretty)) == capsule


def test_a_class_pack_opens_once_for_each_person() -> None:
    source = talk()
    source.restore("example", recorded())
    pack = exported(source, "s", "example", title="Week 3: forgetting", note="Find the code word.")
    opened = open_file("week3.json", pack)
    assert (opened.title, opened.note) == ("Week 3: forgetting", "Find the code word.")
    assert [(row.title, row.messages, row.turns) for row in opened.rows] == [
        ("I am Ada", 4, 2),
        (recorded().title, 80, 40),
    ]
    store = InMemoryHistory(TTL)
    first = imported(store, pack, owner="ada")
    say(store, first[0], "I go on")
    assert imported(store, pack, owner="ada") == first
    assert len(store.load(first[0])) == 6
    assert not set(imported(store, pack, owner="eve")) & set(first)
    assert not set(imported(store, pack, owner="ada", copies=True)) & set(first)
    assert len(store.sessions(99)) == 6


def forged(**changes: Any) -> bytes:
    """A capsule whose hashes are right, although somebody wrote it by hand."""
    from lib.history.serialization import to_json
    from lib.transfer.capsule.session_json import hashes

    session = json.loads(exported(talk(), "s"))["sessions"][0] | changes
    session["sha256"] = hashes(session)
    body = b'{"windowseat_capsule":1,"title":"","note":"","sessions":[' + to_json(session) + b"]"
    return body + tail(body)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"messages": "[]"}, "no messages"),
        ({"messages": '{"role":"user"}'}, "not an array"),
        ({"messages": '[{"role":"user","content":' + "[" * 200 + "]" * 200 + "}]"}, "nested more than 100"),
        ({"messages": '[{"role":"user","content":NaN}]'}, "not JSON"),
        ({"messages": "\ud83d"}, "surrogates not allowed"),
        ({"messages": [{"role": "user"}]}, "messages are no text"),
        ({"turns": {}}, "turns are no list"),
        ({"turns": [1]}, "turns are no list"),
        ({"pinned": [4]}, "a mark on a message that it does not hold"),
        ({"summaries": [{"text": 1}]}, "cannot be read"),
        ({"imports": [{"first": -1, "count": 1, "source": "a", "imported_at": 0}]}, "cannot be read"),
    ],
)
def test_a_forged_capsule_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ImportRefused, match=reason):
        open_file("c.json", forged(**changes))


def test_odd_values_of_a_forged_capsule_count_as_unknown() -> None:
    turn = {"id": 'a"b', "number": "x", "started_at": "soon", "plan": {"runs": [[0, 9, True, "?"]]}, "usage": [1]}
    capsule = forged(turns=[turn], settings={"model": {"a": 1}, "x": 1}, created_at="yesterday", prices=[1], title=7)
    store = InMemoryHistory(TTL)
    (session_id,) = imported(store, capsule)
    (kept,) = store.turns(session_id)
    assert (kept.number, kept.plan, kept.usage) == (1, None, Usage())
    assert "cannot be used" in kept.note
    assert dict(store.about(session_id).settings) == {}


@pytest.mark.parametrize(
    ("capsule", "reason"),
    [
        (b'{"windowseat_capsule":2,"sessions":[{}]}', "version 2, and this Windowseat reads version 1"),
        (b'{"windowseat_capsule":"1","sessions":[{}]}', "version “1”"),
        (b'{"windowseat_capsule":1,"sessions":[]}', "holds no sessions"),
        (b'{"windowseat_capsule":1}', "holds no sessions"),
        (b'{"windowseat_capsule":1,"sessions":[{}]}', "changed after the export"),
        (b'{"windowseat_capsule":1,"sessions":[7]}', "not a session"),
        (b'{"windowseat_capsule":1,"sessions":[{}],"sessions":[{}]}', "stands twice"),
        (b'{"windowseat_capsule":1,"sessions":[', "cut off"),
    ],
)
def test_a_capsule_that_cannot_be_used_is_refused(capsule: bytes, reason: str) -> None:
    with pytest.raises(ImportRefused, match=reason):
        open_file("c.json", capsule)


def test_a_chat_that_is_written_to_meanwhile_is_not_exported_half() -> None:
    class Busy(InMemoryHistory):
        """Another service writes while the turns are read."""

        def turns(self, session_id: str, newest: int | None = None) -> list[Turn]:
            self.overwrite(session_id, [*self.load(session_id), user("more")])
            return super().turns(session_id, newest)

    store = Busy(TTL)
    store.restore("s", replace(recorded(), turns=[]))
    with pytest.raises(HistoryUnavailable, match="keeps writing"):
        recording_of(store, "s", find)


def test_a_chat_without_messages_is_not_exported() -> None:
    with pytest.raises(ImportRefused, match="nothing to export"):
        recording_of(InMemoryHistory(TTL), "none", find)


def test_the_file_says_its_version_first() -> None:
    assert re.match(rb'\{"windowseat_capsule":1,', exported(talk(), "s"))
