"""What each stored shape becomes as a message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib.history.foreign.readers.json_array import JsonArrayReader
from lib.history.foreign.readers.langchain import LangChainReader, ulid_seconds
from lib.history.foreign.readers.langchain_messages import from_stored
from lib.history.foreign.readers.langgraph import LangGraphReader
from lib.history.foreign.readers.redisvl import RedisVLReader
from lib.history.foreign.readers.responses_items import to_messages

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
LANGCHAIN: dict[str, tuple[Any, dict[str, Any]]] = {
    "serialized, by its class": (
        {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain", "schema", "messages", "AIMessage"],
            "kwargs": {"content": "a"},
        },
        {"role": "assistant", "content": "a"},
    ),
    "serialized, with calls": (
        {"lc": 1, "kwargs": {"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": {}, "id": "c1"}]}},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
    ),
    "messages_to_dict": (
        {"type": "human", "data": {"content": "a", "additional_kwargs": {}, "type": "human", "name": "Ada"}},
        {"role": "user", "content": "a", "name": "Ada"},
    ),
    "calls of the model's own": (
        {"type": "ai", "data": {"content": "", "additional_kwargs": {"tool_calls": [CALL]}}},
        {"role": "assistant", "content": "", "additional_kwargs": {"tool_calls": [CALL]}, "tool_calls": [CALL]},
    ),
    "a call in the content and beside it": (
        {
            "type": "ai",
            "content": [{"type": "text", "text": "a"}, {"type": "tool_use", "id": "c1", "name": "f", "input": {}}],
            "tool_calls": [{"name": "f", "args": {}, "id": "c1"}],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "a"}], "tool_calls": [CALL]},
    ),
    "any role": ({"type": "chat", "data": {"content": "a", "role": "critic"}}, {"role": "critic", "content": "a"}),
    "a role where none belongs": ({"type": "ai", "data": {"role": "user"}}, {"role": "assistant"}),
    "an unknown type": ({"type": "remove", "content": "", "id": "m1"}, {"role": "remove", "content": "", "id": "m1"}),
    "OpenAI's": ({"role": "user", "content": "a", "x": 1}, {"role": "user", "content": "a", "x": 1}),
    "a number": (5, {"role": "unreadable", "content": [5]}),
    "nothing known": ({"a": 1}, {"role": "unreadable", "content": [{"a": 1}]}),
}
ITEMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a part of two": (
        {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_file", "file_id": "f"}]},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "input_file", "file_id": "f"}]},
    ),
    "an annotated text": (
        {"role": "assistant", "content": [{"type": "output_text", "text": "a", "annotations": [1], "logprobs": []}]},
        {"role": "assistant", "content": [{"type": "text", "text": "a", "annotations": [1]}]},
    ),
    "a result in parts": (
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "a"}], "id": "o"},
        {"role": "tool", "content": "a", "tool_call_id": "c1", "id": "o"},
    ),
    "a result with a role": (
        {"type": "function_call_output", "call_id": "c1", "output": "a", "role": "user", "content": "b"},
        {"role": "tool", "content": "a", "tool_call_id": "c1"},
    ),
    "another item": (
        {"type": "web_search_call", "status": "completed"},
        {"role": "web_search_call", "content": [{"type": "web_search_call", "status": "completed"}]},
    ),
}


@pytest.mark.parametrize("name", LANGCHAIN)
def test_langchains_messages(name: str) -> None:
    stored, expected = LANGCHAIN[name]
    assert from_stored(stored).to_dict() == expected


@pytest.mark.parametrize("name", ITEMS)
def test_items_of_the_responses_protocol(name: str) -> None:
    stored, expected = ITEMS[name]
    assert [message.to_dict() for message in to_messages([stored])] == [expected]


def test_calls_that_follow_each_other_are_one_message() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": {}}
    result = {"type": "function_call_output", "call_id": "c1", "output": "a"}
    found = to_messages([call, call | {"call_id": "c2"}, result, call | {"call_id": "c3", "status": "completed"}])
    assert [len(message.extra.get("tool_calls", [])) for message in found] == [2, 0, 1]
    assert found[0].extra["tool_calls"][0] == CALL
    assert found[2].extra["items"] == [{"status": "completed"}]


def test_an_array_may_hold_each_of_these_shapes() -> None:
    stored = [
        {"role": "user", "content": "a", "mine": 1},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}"},
        {"type": "ai", "data": {"content": "b"}},
        {"type": "human", "content": "c"},
        {"role": 5},
        "text",
    ]
    found = JsonArrayReader(("conv",)).messages([json.dumps(stored).encode()])
    assert [(message.role, message.content) for message in found] == [
        ("user", "a"),
        ("assistant", None),
        ("assistant", "b"),
        ("user", "c"),
        ("unreadable", [{"role": 5}]),
        ("unreadable", ["text"]),
    ]
    assert found[0].extra == {"mine": 1}


def test_langchains_histories_are_in_the_order_of_their_times() -> None:
    documents = [
        {"type": "human", "data": {"content": text}, "timestamp": moment} for text, moment in (("b", 2.0), ("a", 1.5))
    ]
    parts = [json.dumps(document).encode() for document in documents]
    reader = LangChainReader()
    assert [message.text for message in reader.messages(parts)] == ["a", "b"]
    assert [message.role for message in reader.messages([*parts, b"{", b"[]"])] == ["user", "user", *["unreadable"] * 2]
    assert ulid_seconds(b"chat:a:01M8CAS6BCJ6NW7SNSVRD0A876") == 1_795_710_294.38


def test_a_checkpoint_without_the_usual_channel_is_searched() -> None:
    channels = {"step": 1, "names": ["a"], "dialog": [{"role": "user", "content": "a"}]}
    found = LangGraphReader().messages([json.dumps([channels]).encode()])
    assert [message.text for message in found] == ["a"]


def test_fields_of_a_hash_stay_with_their_message() -> None:
    part = {b"role": b"llm", b"content": b"\xff", b"metadata": b"{broken", b"tool_call_id": b"c1"}
    (message,) = RedisVLReader().messages([part])
    assert message.to_dict() == {"role": "assistant", "content": "\ufffd", "metadata": "{broken", "tool_call_id": "c1"}
