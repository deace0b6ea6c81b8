"""Every bad file is refused with a reason, a word on what is safe and a next step, and nothing is written."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.errors import ImportRefused
from lib.history.client import connect
from lib.history.redis import RedisHistory
from lib.transfer import file_bytes
from lib.transfer.importing import store_rows
from lib.transfer.opened import open_file
from tests.support.servers.redis_servers import TTL, RedisServer, say

CHAT = b'[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]'
EXPORT = Path("tests/data/transfer/chatgpt_conversations.json").read_bytes()


def message(content: str) -> bytes:
    return b'[{"role":"user","content":' + content.encode() + b"}]"


def zipped(*files: tuple[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda entry: None) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a name that is written twice
        for name, content in files:
            archive.writestr(name, content)
        for entry in archive.infolist():
            change(entry)
    return target.getvalue()


def declared(size: int) -> Callable[[zipfile.ZipInfo], None]:
    def change(entry: zipfile.ZipInfo) -> None:
        entry.file_size = size

    return change


def encrypted(entry: zipfile.ZipInfo) -> None:
    entry.flag_bits |= 1


def many_entries(count: int) -> bytes:
    return b"PK\x03\x04" + (b"PK\x01\x02" + b"\0" * 42) * count


def damaged() -> bytes:
    raw = bytearray(zipped(("conversations.json", EXPORT)))
    raw[60:80] = b"\0" * 20
    return bytes(raw)


BAD = {
    "empty": (b"", "file is empty"),
    "blanks": (b" \n\t ", "only blanks"),
    "a byte order mark alone": (b"\xef\xbb\xbf ", "only blanks"),
    "not JSON": (b"Hello, Claude", r"not valid JSON: expecting value \(line 1, byte 1\)"),
    "single quotes": (b"[{'role': 'user'}]", r"not valid JSON.*line 1, byte 3"),
    "a web page": (b"<!DOCTYPE html><html></html>", "web page"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "a picture"),
    "a gzip file": (b"\x1f\x8b\x08\0", "a gzip file"),
    "a PDF": (b"%PDF-1.7", "a PDF"),
    "cut off in a text": (CHAT[:-20], "cut off"),
    "cut off between messages": (CHAT[:31], "cut off"),
    "cut off after the bracket": (b"[", "cut off"),
    "an export cut off": (EXPORT[: len(EXPORT) // 2], "cut off"),
    "a JSONL line cut off": (b'{"role":"user","content":"a"}\n{"role":"user","con', "Line 2: .*cut off"),
    "more behind the end": (CHAT + b" ]", "something follows"),
    "NaN": (message("NaN"), r"\[0\].content is NaN"),
    "Infinity": (message("[Infinity]"), r"\[0\].content\[0\] is Infinity"),
    "minus Infinity": (message("-Infinity"), "is -Infinity"),
    "a number too large": (message("1e999"), "1e999, which is too large"),
    "a number too long": (message("9" * 5_000), "too many digits"),
    "a key twice": (b'[{"role":"user","role":"system","content":"a"}]', "the key “role” twice"),
    "half a surrogate pair": (message('"\\ud83d"'), r"\[0\].content holds half a surrogate pair"),
    "half a pair in a key": (b'[{"role":"user","content":"a","\\udc00":1}]', "half a surrogate pair"),
    "broken UTF-8": (message('"a"')[:-2] + b"\xff", r"not valid UTF-8 \(line 1, byte 30: 0xff\)"),
    "Latin-1": ('[{"role":"user","content":"café"}]'.encode("latin-1"), r"not valid UTF-8 \(line 1, byte 31: 0xe9\)"),
    "broken UTF-16": (b"\xff\xfe[\0\x00\xd8", "not valid UTF-16, from byte 5"),
    "UTF-16 without a mark": (CHAT.decode().encode("utf-16-le"), "zero byte"),
    "UTF-32": (CHAT.decode().encode("utf-32"), "UTF-32"),
    "500 levels": (message("[" * 500 + "]" * 500), "more than 400 levels"),
    "200 levels in a message": (message("[" * 200 + "]" * 200), "more than 100 levels"),
    "100,000 levels": (message("[" * 100_000 + "]" * 100_000), "more than 400 levels"),
    "100,000 objects deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "more than 400 levels"),
    "100,000 levels, cut off": (b"[" * 100_000, "more than 400 levels"),
    "4,000,000 values": (message("[" + "0," * 4_000_000 + "0]"), "values in one piece"),
    "a chat of 40 MB": (message('"' + "a" * 40_000_000 + '"'), "larger than 32 MB"),
    "500 MB": (bytes(500_000_000), "has 477 MB.*up to 200 MB"),
    "an empty list": (b"[]", "No conversation was recognised"),
    "a list of numbers": (b"[1, 2, 3]", "No conversation was recognised"),
    "an unknown object": (b'{"hello": "world"}', "No conversation was recognised"),
    "a text": (b'"hello"', "It is a text"),
    "messages without roles": (b'{"messages":[{"content":"a"},{"text":"b"}]}', r"its role is null \(messages\[0\]\)"),
    "a zip that is none": (b"PK\x03\x04 and so on", "archive is damaged"),
    "a damaged zip": (damaged(), "archive is damaged"),
    "an empty zip": (zipped(), "archive is empty"),
    "a zip without chats": (zipped(("chat.html", b"<html>")), "no conversations.json"),
    "a zip in a zip": (zipped(("inner.zip", zipped(("conversations.json", EXPORT)))), "another archive, inner.zip"),
    "a zip bomb": (zipped(("conversations.json", b" " * 20_000_000)), "times its size"),
    "a zip that declares 300 MB": (zipped(("conversations.json", EXPORT), change=declared(300 * 2**20)), "300 MB"),
    "a zip that declares too little": (zipped(("conversations.json", EXPORT), change=declared(100)), "damaged"),
    "a zip that declares too much": (
        zipped(("conversations.json", EXPORT), change=declared(len(EXPORT) + 1)),
        "less than it declares",
    ),
    "a zip with 60,000 files": (many_entries(60_000), "more than 50,000 files"),
    "a zip that climbs": (zipped(("../../conversations.json", EXPORT)), "leads out of it"),
    "a zip with an absolute path": (zipped(("/etc/conversations.json", EXPORT)), "leads out of it"),
    "a zip with a drive": (zipped(("C:\\conversations.json", EXPORT)), "leads out of it"),
    "a zip with a file twice": (zipped(("conversations.json", EXPORT), ("conversations.json", b"[]")), "twice"),
    "an encrypted zip": (zipped(("conversations.json", EXPORT), change=encrypted), "encrypted"),
    "a zip of broken text": (zipped(("conversations.json", b"\xff[")), "not valid UTF-8"),
    "a zip of several JSON files": (zipped(("a.json", CHAT), ("b.json", CHAT)), "2 JSON files"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    started = RedisServer().start()
    with started.client() as client:
        client.flushall()
    store = RedisHistory(connect(started.url), TTL)
    say(store, "before", "What was here before")
    store.close()
    yield started
    started.close()


def bring_in(store: RedisHistory, raw: bytes) -> None:
    opened = open_file("bad.json", raw)
    store_rows(store, opened, opened.rows)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_and_nothing_is_written(name: str, server: RedisServer) -> None:
    raw, reason = BAD[name]
    before = server.everything()
    store = RedisHistory(connect(server.url), TTL)
    with pytest.raises(ImportRefused, match=f"(?s){reason}") as caught:
        bring_in(store, raw)
    store.close()
    assert caught.value.what.endswith(".")
    assert caught.value.safe == "Nothing was stored."
    assert caught.value.next_step
    assert server.everything() == before


def test_a_file_is_refused_by_its_size_before_it_is_read() -> None:
    file_bytes.check_size(200 * 2**20)
    with pytest.raises(ImportRefused, match="up to 200 MB"):
        file_bytes.check_size(200 * 2**20 + 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_with_a_mark_is_read(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    text = json.dumps([{"role": "user", "content": "Grüße 🎈"}], ensure_ascii=False)
    opened = open_file("x.json", mark + text.encode(encoding))
    assert opened.read(opened.rows[0]).messages[0].content == "Grüße 🎈"


def test_an_export_is_read_from_its_zip() -> None:
    raw = zipped(("data/conversations.json", EXPORT), ("chat.html", b"<html>"), ("data/user.json", b"{}"))
    assert [row.title for row in open_file("export.zip", raw).rows] == [
        row.title for row in open_file("conversations.json", EXPORT).rows
    ]
    parts = zipped(("conversations-000.json", EXPORT), ("conversations-001.json", EXPORT))
    opened = open_file("export.zip", parts)
    assert [row.number for row in opened.rows] == list(range(8))
    assert opened.read(opened.rows[4]).messages == opened.read(opened.rows[0]).messages


def test_one_bad_chat_does_not_keep_the_others_out() -> None:
    chats = [CHAT.replace(b"Hi", b"One"), message("NaN"), message('"\\ud83d"'), CHAT.replace(b"Hi", b"Four")]
    raw = b"[" + b",".join(b'{"messages":' + chat + b"}" for chat in chats) + b"]"
    opened = open_file("x.json", raw)
    assert [row.refusal for row in opened.rows] == [
        "",
        "chat 2: messages[0].content is NaN, which is not JSON",
        "chat 3: messages[0].content holds half a surrogate pair, which is no character",
        "",
    ]


def test_a_zip64_list_of_files_is_no_way_around_the_limit() -> None:
    raw = many_entries(3) + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65_535, 65_535, 46 * 3, 4, 0)
    with pytest.raises(ImportRefused, match="damaged"):
        open_file("x.zip", raw)
