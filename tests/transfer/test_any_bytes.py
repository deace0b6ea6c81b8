"""Whatever the bytes are: the reader returns or refuses, and stores nothing. Large files are read in bounded memory."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import ImportRefused
from lib.history.memory import InMemoryHistory
from lib.history.serialization import read_objects, unpack_messages
from lib.messages import Message
from lib.transfer import NAMES, json_scanner
from lib.transfer.importing import store_rows
from lib.transfer.json_scanner import Scanner, parse
from lib.transfer.opened import open_file
from tests.test_any_history import json_values

SAMPLES = [path.read_bytes() for path in sorted(Path("tests/data/transfer").glob("*.json*"))]
FORMATS = st.none() | st.sampled_from(sorted(NAMES))
NAMED = """role content
messages mapping message parent current_node author parts chat_messages sender text conversations
from value chat history currentId parentId conversationId messageId parentMessageId messagesTree children options system
files attachments uuid parent_message_uuid type id tool_call windowseat_capsule sessions turns title"""
names = st.sampled_from(NAMED.split())
shapes = st.recursive(
    json_values | st.sampled_from(["user", "assistant", "a", "b", "text", "tool_use"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=30,
)


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """A file of a known format with some bytes changed, taken out or put in."""
    raw = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 40))] = draw(st.binary(max_size=8))
    return bytes(raw)


def zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", content)
    return target.getvalue()


@st.composite
def mutilated_zip(draw: st.DrawFn) -> bytes:
    raw = bytearray(zipped(SAMPLES[2]))
    for _ in range(draw(st.integers(1, 6))):
        raw[draw(st.integers(4, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(raw)


@given(
    st.binary(max_size=200) | shapes.map(lambda value: json.dumps(value).encode()) | mutilated() | mutilated_zip(),
    FORMATS,
)
def test_no_bytes_crash_the_reader_or_write_what_cannot_be_read(raw: bytes, forced: Any) -> None:
    try:
        opened = open_file("any", raw, forced)
    except ImportRefused:
        return
    store = InMemoryHistory(60)
    outcome = store_rows(store, opened, opened.rows)
    assert outcome.error is None
    assert len(outcome.imported) + len(outcome.refused) == len(opened.rows)
    for each in outcome.imported:
        stored = store.raw(each.session_id) or b""
        read = [Message.from_dict(found) for found in read_objects(unpack_messages(stored, stored))]
        assert read == list(store.load(each.session_id))


@given(st.lists(json_values, max_size=5), st.sampled_from([1, 2, 7, 64]), st.sampled_from([None, 1]))
def test_pieces_are_read_as_python_reads_the_whole(values: list[Any], window: int, indent: int | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_scanner, "FIRST_WINDOW", window)
        for ascii_only in (True, False):
            raw = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode(errors="replace")
            elements = list(Scanner(raw, halves=True).elements())
            assert [each.value for each in elements] == json.loads(raw)
            assert [json.loads(raw[each.start : each.stop]) for each in elements] == json.loads(raw)
            assert parse(raw, halves=True) == json.loads(raw)


@given(shapes.map(lambda value: json.dumps(value).encode()), st.integers(0, 200), st.sampled_from([1, 5]))
def test_what_is_cut_off_is_never_read(raw: bytes, at: int, window: int) -> None:
    raw = b'{"a":' + raw + b"}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_scanner, "FIRST_WINDOW", window)
        with pytest.raises(ImportRefused):
            parse(raw[: min(at, len(raw) - 1)])


def test_a_large_file_takes_the_memory_of_one_chat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_scanner, "FIRST_WINDOW", 16_384)
    chat = {"messages": [{"role": "user", "content": "a" * 100, "more": list(range(50))}] * 20}
    raw = b"[" + b",".join([json.dumps(chat).encode()] * 300) + b"]"
    tracemalloc.start()
    opened = open_file("large.json", raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(opened.rows) == 300
    assert peak < len(raw) / 4  # as Python objects it is three times as large
