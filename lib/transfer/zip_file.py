"""Takes the conversations out of an export's zip archive. Nothing is unpacked to a disk.

Sizes are checked as they are declared and again while unpacking, so an archive cannot take more memory than its limits.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from pathlib import PurePosixPath

from lib.transfer import limits, refused

ENTRY_MARK = b"PK\x01\x02"
"""Each entry of the list of an archive's files begins with it."""
WANTED = re.compile(r"conversations(-\d+)?\.json")
OTHERS = {"user.json", "users.json", "message_feedback.json", "model_comparisons.json", "shared_conversations.json"}
"""Further JSON in the exports of ChatGPT and Claude, without conversations."""
PIECE = 2**20
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(ValueError, LookupError, ArithmeticError, RuntimeError),
)
"""What zipfile raises for archives that are broken, on purpose or not: also for odd dates, offsets and extra fields."""


def conversations(raw: bytes) -> list[tuple[str, bytes]]:
    """The JSON files with conversations in a zip archive, by their names. Raises ImportRefused.

    These are conversations.json, or conversations-000.json and so on, or else the only JSON file there is.
    """
    if raw.count(ENTRY_MARK) > limits.MOST_ENTRIES:
        raise refused(f"The archive holds more than {limits.MOST_ENTRIES:,} files.")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            chosen = _chosen(archive.infolist())
            return [(entry.filename, _unpacked(archive, entry)) for entry in chosen]
    except DAMAGED as exc:
        what = str(exc)[:100] or type(exc).__name__
        raise refused(f"The archive is damaged ({what}).", "Download it again.") from exc


def _chosen(entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    files = [entry for entry in entries if not entry.is_dir()]
    if not files:
        raise refused("The archive is empty.")
    for entry in files:
        _check_name(entry)
    names = [entry.filename for entry in files]
    wanted = [entry for entry in files if WANTED.fullmatch(_base(entry))]
    if not wanted:
        wanted = [entry for entry in files if _base(entry).endswith((".json", ".jsonl")) and _base(entry) not in OTHERS]
    if not wanted:
        nested = next((name for name in names if name.lower().endswith(".zip")), None)
        inner = f" It holds another archive, {nested[-60:]}, which is not opened." if nested else ""
        raise refused(f"The archive holds no conversations.json.{inner}", "Choose the file with the chats.")
    if len({entry.filename for entry in wanted}) < len(wanted):
        raise refused("The archive holds the same file twice.")
    if len(wanted) > 1 and not all(WANTED.fullmatch(_base(entry)) for entry in wanted):
        raise refused(f"The archive holds {len(wanted)} JSON files, none called conversations.json.", "Choose one.")
    for entry in wanted:
        _check_entry(entry)
    _check_sum(sum(entry.file_size for entry in wanted))
    return sorted(wanted, key=lambda entry: entry.filename)


def _base(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename).name.lower()


def _check_name(entry: zipfile.ZipInfo) -> None:
    """Raises ImportRefused for a name that leads out of its folder. No file is written, but no export has one."""
    name = entry.orig_filename
    if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or re.match("[A-Za-z]:|.*\0", name):
        raise refused(f"The archive holds a file whose name leads out of it ({name[:80]!r}).")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & 0x1:
        raise refused("The archive is encrypted.", "Unpack it yourself and choose the conversations.json.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise refused("The archive is packed in a way that exports do not use.", "Unpack it and choose the JSON file.")
    _check_sum(entry.file_size)
    if entry.file_size > limits.MOST_RATIO * max(1, entry.compress_size) and entry.file_size > limits.MB:
        times = entry.file_size // max(1, entry.compress_size)
        raise refused(f"{entry.filename[-60:]} would unpack to {times:,} times its size, which no chat does.")


def _check_sum(size: int) -> None:
    if size > limits.MOST_BYTES:
        most = limits.MOST_BYTES // limits.MB
        raise refused(f"The conversations unpack to {size // limits.MB:,} MB. Windowseat reads up to {most} MB.")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of an entry, which must be as many as it declares."""
    pieces: list[bytes] = []
    left = entry.file_size
    with archive.open(entry) as file:
        while piece := file.read(PIECE):
            left -= len(piece)
            if left < 0:
                raise refused("The archive unpacks to more than it declares.")
            pieces.append(piece)
    if left:
        raise refused("The archive unpacks to less than it declares.", "Download it again.")
    return b"".join(pieces)
