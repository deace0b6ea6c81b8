"""A file that was opened: what it is, which conversations it holds, and what of them cannot come in.

Only the file's bytes and one row for each conversation are kept. A conversation is read again when it is imported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.history.serialization import title_of
from lib.tokens.counted import text_of
from lib.transfer import NAMES, Conversation, Format, Problem, file_bytes, limits, refused, zip_file
from lib.transfer.capsule import read as capsule
from lib.transfer.formats import anthropic, chatgpt, claude, librechat, open_webui, openai, sharegpt
from lib.transfer.json_scanner import parse
from lib.transfer.pieces import Piece, again, cut

READERS: dict[Format, Callable[[Mapping[str, Any], str], list[Conversation]]] = {
    "openai": openai.read,
    "anthropic": anthropic.read,
    "chatgpt": chatgpt.read,
    "claude": claude.read,
    "sharegpt": sharegpt.read,
    "open_webui": open_webui.read,
    "librechat": librechat.read,
}
Progress = Callable[[float], None]
"""Told how much of the file was read, from 0 to 1."""
NAME_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation in the list. `created_at` is seconds since the epoch. `refusal` says why it cannot be imported."""

    number: int
    """Its place in the list, from 0."""
    title: str
    messages: int
    turns: int
    created_at: float | None
    branch: str
    lost: int
    skipped: int
    refusal: str
    part: int
    """Which file of an archive holds it."""
    piece: Piece
    """Without its value."""
    place: int
    """Which of the piece's conversations it is."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file holds. `sha256` is the file's. `title`, `note` and `changed` are a capsule's."""

    name: str
    format: Format
    sha256: str
    rows: tuple[Row, ...]
    parts: tuple[bytes, ...]
    title: str = ""
    note: str = ""
    changed: str = ""

    @property
    def source(self) -> str:
        """Where its conversations come from, for people. Example: "ChatGPT export, conversations.json" """
        return f"{NAMES[self.format]}, {self.name}"

    def read(self, row: Row) -> Conversation:
        """The conversation of a row, from the bytes."""
        raw = self.parts[row.part]
        if row.piece.odd:
            return _conversations(self.format, row.piece, None)[0]
        if self.format == "capsule":
            value = parse(raw[row.piece.start : row.piece.stop], halves=True)
            return capsule.session(value, row.piece.where, self.source)
        return _conversations(self.format, row.piece, again(raw, row.piece, self.format))[row.place]


def open_file(name: str, raw: bytes, forced: Format | None = None, progress: Progress | None = None) -> Opened:
    """Read a file, without storing anything. `forced` is the format if a person says it; otherwise it is recognised.

    Raises ImportRefused if nothing of it can be imported. Nothing else is raised, whatever the bytes are.
    """
    file_bytes.check_size(len(raw))
    name = " ".join(name.encode(errors="replace").decode().split())[-NAME_LENGTH:] or "a file"
    digest = hashlib.sha256(raw).hexdigest()
    if file_bytes.is_zip(raw):
        parts = [file_bytes.as_utf8(part) for _, part in zip_file.conversations(raw)]
    else:
        parts = [file_bytes.as_utf8(raw)]
    found, head = forced, capsule.NO_HEAD
    rows: list[Row] = []
    for place, part in enumerate(parts):
        found, pieces = cut(part, found)
        if found == "capsule":
            head = capsule.head(part)
            pieces = capsule.pieces(part, head)
        for row in _rows(found, pieces, place, len(rows)):
            rows.append(row)
            if len(rows) > limits.MOST_CONVERSATIONS:
                most = f"{limits.MOST_CONVERSATIONS:,}"
                raise refused(f"The file holds more than {most} chats.", "Split it into smaller files.")
            if progress is not None:
                progress((place + row.piece.stop / len(part)) / len(parts))
    _check_rows(rows)
    assert found is not None
    return Opened(name, found, digest, tuple(rows), tuple(parts), head.title, head.note, head.changed)


def _rows(format: Format, pieces: Iterator[Piece], part: int, number: int) -> Iterator[Row]:
    for piece in pieces:
        conversations = _conversations(format, piece, piece.value)
        for place, each in enumerate(conversations):
            yield _row(each, number, part, piece._replace(value=None), place)
            number += 1


def _conversations(format: Format, piece: Piece, value: Any) -> list[Conversation]:
    """What a piece holds. One that cannot be read is a conversation that is refused."""
    if not piece.odd and format == "capsule":
        return [capsule.session(value, piece.where, "")]
    if not piece.odd and isinstance(value, Mapping):
        return READERS[format](value, piece.where)
    reason = piece.odd or "it is no object"
    return [Conversation("", (), problems=(Problem(piece.where or "the file", "", reason, "refused"),))]


def _row(conversation: Conversation, number: int, part: int, piece: Piece, place: int) -> Row:
    first = next((text_of(message) for message in conversation.messages if message.role == "user"), "")
    effects = [problem.effect for problem in conversation.problems]
    recording = conversation.recording
    return Row(
        number,
        conversation.title or title_of(first) or "Untitled",
        len(conversation.messages),
        0 if recording is None else len(recording.turns),
        conversation.created_at,
        conversation.branch,
        effects.count("lost"),
        effects.count("skipped") + conversation.more_problems,
        conversation.refusal,
        part,
        piece,
        place,
    )


def _check_rows(rows: list[Row]) -> None:
    """Raises ImportRefused if no row can be imported."""
    if any(not row.refusal for row in rows):
        return
    if not rows:
        raise refused("The file holds no chats.")
    more = f" The same holds for the other {len(rows) - 1:,} chats in it, or something like it." if rows[1:] else ""
    raise refused(f"Nothing of it can be imported. {rows[0].refusal[:1].upper()}{rows[0].refusal[1:]}.{more}")
