"""Every message is read back equal, from the cache and from the store."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.history import serialization
from lib.history.redis import RedisHistory
from lib.messages import Message, user
from tests.support.servers.redis_servers import append, as_dicts, prompt, say
from tests.support.store_kits import Kit

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # includes lone surrogates and control characters
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
OTHER_FIELDS = st.dictionaries(ANY_TEXT.filter(lambda name: name not in ("role", "content")), JSON, max_size=2)
MESSAGE = st.builds(Message, ANY_TEXT, ANY_TEXT | JSON, OTHER_FIELDS) | st.builds(
    lambda role, extra: Message(role, None, extra, has_content=False), ANY_TEXT, OTHER_FIELDS
)

numbers = itertools.count()


@given(st.lists(st.lists(MESSAGE, min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_message_is_read_back_equal(open_store: Callable[[], RedisHistory], turns: list[list[Message]]) -> None:
    session_id = f"s{next(numbers)}"
    warm = STORES.setdefault("warm", open_store())
    expected: list[Any] = []
    for messages in turns:
        append(warm, session_id, messages)
        expected += as_dicts(messages)
        assert as_dicts(warm.load(session_id)) == expected
    cold = open_store()
    assert as_dicts(cold.load(session_id)) == expected
    assert json.loads(warm.raw(session_id) or b"") == expected
    cold.close()


STORES: dict[str, RedisHistory] = {}


@pytest.fixture(autouse=True)
def _no_store_outlives_its_test() -> Any:
    yield
    STORES.clear()


@given(ANY_TEXT, ANY_TEXT)
def test_every_prompt_gives_a_valid_title_and_live_record(question: str, text: str) -> None:
    live = prompt(question, text=text)
    stored = b'{"id":"' + live.id.encode() + b'","beat":1.5,' + serialization.pack_live(live)
    assert serialization.unpack_live(stored, 2.0).to_dict() == live.to_dict()
    title = serialization.title_of(question)
    assert len(title) <= 60
    assert "\n" not in title
    assert bool(title.strip()) == bool(question.strip())


def test_a_message_of_a_megabyte_is_stored(kit: Kit) -> None:
    large = 'é😀\x00\x1f\\"' * 150_000
    append(kit.store, "s", [user(large), Message("assistant", "short")], "large")
    say(kit.store, "s", "after")
    assert [message.text for message in kit.store.load("s")] == [large, "short", "after", "Hi!"]


def test_every_store_stores_half_a_surrogate_pair(kit: Kit) -> None:
    say(kit.store, "s", "cut emoji \ud83d", "and \ude00\u2028\u2029")
    assert [message.text for message in kit.store.load("s")] == ["cut emoji \ud83d", "and \ude00\u2028\u2029"]
    assert kit.store.turns("s")[0].prompt == "cut emoji \ud83d"


def test_nan_is_refused_and_nothing_is_stored(redis_store: RedisHistory) -> None:
    live = prompt()
    redis_store.begin("s", live)
    with pytest.raises(ValueError, match="JSON"):
        append(redis_store, "t", [Message("user", float("nan"))])
    assert redis_store.raw("t") is None
