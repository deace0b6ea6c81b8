"""Whatever is in other libraries' keys, nothing but a ChatError is raised, and nothing changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib import outside_values
from lib.errors import ChatError
from lib.history.client import RetryingClient
from lib.history.foreign.access import Wrong
from lib.history.foreign.readers import Reader
from lib.history.foreign.readers.agents import AgentsReader
from lib.history.foreign.readers.json_array import JsonArrayReader
from lib.history.foreign.readers.langchain import LangChainReader
from lib.history.foreign.readers.langgraph import LangGraphReader
from lib.history.foreign.readers.redisvl import RedisVLReader
from lib.history.foreign.sessions import ForeignSessions
from lib.history.serialization import pack_messages
from lib.messages import Message
from tests.history.test_looking import nothing_changes

READERS: tuple[Reader, ...] = (
    AgentsReader(),
    LangChainReader(),
    RedisVLReader(),
    LangGraphReader(),
    JsonArrayReader(("conv",)),
)
NAMES = [
    "role",
    "content",
    "type",
    "text",
    "data",
    "kwargs",
    "id",
    "tool_calls",
    "additional_kwargs",
    "tool_use",
    "name",
    "args",
    "arguments",
    "function",
    "call_id",
    "output",
    "messages",
    "image_url",
    "detail",
    "timestamp",
    "lc",
]
WORDS = [
    "user",
    "ai",
    "human",
    "chat",
    "tool",
    "message",
    "function_call",
    "function_call_output",
    "input_image",
    "output_text",
    "tool_use",
    "text",
    "constructor",
    "AIMessage",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=5)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=20,
)
DEEP = [b"[" * 100_000, b'{"a":' * 5_000, b'[{"role":"user","content":' + b"[" * 99 + b"]" * 99 + b"}]"]


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_checkpoint(value: Any) -> bytes:
    return json.dumps([{"messages": value}]).encode()


TEXTS = (
    st.binary(max_size=60)
    | VALUES.map(as_json)
    | st.lists(VALUES, max_size=4).map(as_json)
    | st.lists(VALUES, max_size=4).map(as_checkpoint)
    | st.sampled_from(
        [
            *DEEP,
            b"1" * 5_000,
            b"[1e999]",
            b"[1" + b"0" * 400 + b".0]",
            b"NaN",
            b"[NaN]",
            b'["\\ud800"]',
            b'[{"role":"\\ud800"}]',
        ]
    )
)
PARTS = TEXTS | st.dictionaries(st.sampled_from([b"role", b"content", b"metadata", b"\xff"]), TEXTS, max_size=4)
KEYS = (
    b"agents:session:a:messages",
    b"agents:session:a",
    b"chat:a:01M8CAS6BCJ6NW7SNSVRD0A876",
    b"support:s:1795710296.5:0000aaaa",
    b"checkpoint_latest:t:__empty__",
    b"checkpoint:t:",
    b"conv:1",
)
FIELDS = (b"role", b"content", b"created_at", b"session_tag")
WRITERS: dict[str, Callable[[Any, bytes, bytes], object]] = {
    "string": lambda client, key, value: client.set(key, value),
    "list": lambda client, key, value: client.rpush(key, value, b"{}"),
    "hash": lambda client, key, value: client.hset(key, mapping=dict.fromkeys(FIELDS, value)),
    "set": lambda client, key, value: client.sadd(key, value),
    "zset": lambda client, key, value: client.zadd(key, {value: 1.0}),
    "stream": lambda client, key, value: client.xadd(key, {b"role": value}),
}


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.format)
@given(parts=st.lists(PARTS | st.builds(Wrong, st.text(max_size=5)), max_size=4))
def test_any_stored_pieces_become_messages_or_a_chat_error(reader: Reader, parts: list[Any]) -> None:
    try:
        messages = reader.messages(parts)
    except ChatError:
        return
    for message in messages:
        assert isinstance(message, Message)
        assert Message.from_dict(message.to_dict()) == message
        assert outside_values.is_too_deep(message.to_dict()) or pack_messages([message])  # a fork can store it
        assert isinstance(message.text, str) or outside_values.is_too_deep(message.content)


@given(key=st.binary(max_size=80) | st.sampled_from(KEYS))
def test_any_key_has_at_most_one_conversation_with_a_name(key: bytes) -> None:
    for reader in READERS:
        session = reader.session_of(key)
        if session is not None:
            assert key.startswith(session)
            assert isinstance(reader.title(session), str)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    stored=st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(sorted(WRITERS)), TEXTS), min_size=1, max_size=5)
)
def test_any_value_of_any_type_under_their_keys_raises_nothing_else(client: Any, stored: list[Any]) -> None:
    client.flushall()
    for key, kind, value in {key: (key, kind, value) for key, kind, value in stored}.values():
        WRITERS[kind](client, key, value)
    foreign = ForeignSessions(RetryingClient(lambda: client, None), ("conv",))
    with nothing_changes(client):
        for row in foreign.list_foreign().rows:
            for read in (foreign.messages, foreign.about, foreign.expires_in, foreign.raw, foreign.row):
                try:
                    read(row.session_id)
                except ChatError:
                    continue
