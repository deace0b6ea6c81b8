"""Turns the bytes of a file into JSON as UTF-8, or says what the file is instead."""

from __future__ import annotations

import codecs
import re

from lib.errors import ImportRefused
from lib.transfer import limits, refused
from lib.transfer.json_scanner import place

PIECE = 2**16
NOT_BLANK = re.compile(rb"\S")
OTHER_KINDS = {
    b"\x1f\x8b": "a gzip file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "a database",
    b"PAR1": "a Parquet file",
}
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def check_size(size: int) -> None:
    """Raises ImportRefused for a file with too many bytes. Needs only its size."""
    if size > limits.MOST_BYTES:
        most, has = limits.MOST_BYTES // limits.MB, size / limits.MB
        raise refused(
            f"The file has {has:,.0f} MB. Windowseat reads files of up to {most} MB.",
            "If it is a zip archive, upload only the conversations.json in it. Larger ones have to be split.",
        )


def is_zip(raw: bytes) -> bool:
    """Whether these bytes are a zip archive."""
    return raw.startswith(ZIP)


def as_utf8(raw: bytes) -> bytes:
    """The text of the file as UTF-8 without a byte order mark. Raises ImportRefused.

    UTF-8 and, with a byte order mark, UTF-16 are read.
    """
    if not NOT_BLANK.search(raw):
        raise refused("The file is empty." if not raw else "The file holds only blanks.")
    kind = next((words for start, words in OTHER_KINDS.items() if raw.startswith(start)), None)
    if kind is not None:
        raise refused(f"This is {kind}. Windowseat reads JSON, JSONL and zip archives that hold them.")
    if raw.startswith(UTF_32):
        raise refused("The text is UTF-32. Windowseat reads UTF-8 and UTF-16.", "Save it as UTF-8.")
    if raw.startswith(UTF_16):
        raw = _from_utf16(raw)
    raw = raw.removeprefix(codecs.BOM_UTF8)
    _check_utf8(raw)
    first = NOT_BLANK.search(raw)
    if first is None:
        raise refused("The file holds only blanks.")
    if b"\0" in raw:
        where = place(raw, raw.index(b"\0"))
        hint = "Save it as UTF-8, or as UTF-16 with a byte order mark."
        raise refused(f"The text holds a zero byte ({where}), so it is no JSON.", hint)
    if first.group() == b"<":
        raise refused("This is a web page, not JSON.", "An export has a conversations.json beside it: choose that one.")
    return raw


def _from_utf16(raw: bytes) -> bytes:
    try:
        text = raw.decode("utf-16")
    except UnicodeDecodeError as exc:
        raise refused(f"The text is not valid UTF-16, from byte {exc.start + 1:,} on.", "Save it as UTF-8.") from None
    raw = text.encode()
    check_size(len(raw))
    return raw


def _check_utf8(raw: bytes) -> None:
    """Raises ImportRefused with the place of the first byte that is not UTF-8. Decodes piece by piece."""
    view, start = memoryview(raw), 0
    while start < len(raw):
        try:
            _, used = codecs.utf_8_decode(view[start : start + PIECE], "strict", start + PIECE >= len(raw))
        except UnicodeDecodeError as exc:
            raise _not_utf8(raw, start + exc.start) from None
        start += used


def _not_utf8(raw: bytes, at: int) -> ImportRefused:
    return refused(f"The text is not valid UTF-8 ({place(raw, at)}: 0x{raw[at]:02x}).", "Save it as UTF-8.")
