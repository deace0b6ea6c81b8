"""Reads a capsule, and notices what was changed in it after it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib import outside_values
from lib.errors import ImportRefused
from lib.transfer import Conversation, Problem, refused
from lib.transfer.capsule import MARK, VERSION, session_json
from lib.transfer.capsule.write import kept_note, tail
from lib.transfer.json_scanner import Scanner, parse
from lib.transfer.pieces import Piece

TAIL_LENGTH = len(tail(b""))
CHANGED = "This file was changed after it was exported."
PARTS = {"messages": "its messages", "turns": "the records of its turns", "rest": "its title, settings or marks"}


@dataclass(frozen=True, slots=True)
class Head:
    """What a capsule says about itself, and where its sessions are: the first byte of each and the one behind it.

    `changed` says in a sentence that the file is not as it was written; empty if it is.
    """

    title: str
    note: str
    spans: tuple[tuple[int, int], ...]
    changed: str


NO_HEAD = Head("", "", (), "")


def pieces(raw: bytes, found: Head) -> Iterator[Piece]:
    """The sessions, one by one."""
    for place, (start, stop) in enumerate(found.spans, 1):
        yield Piece(parse(raw[start:stop], halves=True), f"chat {place}", start, stop)


def head(raw: bytes) -> Head:
    """Read all of a capsule but its sessions. Raises ImportRefused."""
    scanner = Scanner(raw, halves=True)
    named: dict[str, Any] = {}
    spans: list[tuple[int, int]] = []
    for name in scanner.members():
        if name == "sessions" and scanner.peek() == b"[":
            spans = [(element.start, element.stop) for element in scanner.elements()]
        else:
            named[name] = scanner.value().value
    scanner.finish()
    version = named.get(MARK)
    if version != VERSION:
        shown = outside_values.shown(version)
        raise refused(
            f"This capsule has version {shown}, and this Windowseat reads version {VERSION}.",
            "Update Windowseat, or export the chat with this version.",
        )
    if not spans:
        raise refused("This capsule holds no sessions.")
    title, note = (outside_values.text(named.get(name)) or "" for name in ("title", "note"))
    intact = raw[-TAIL_LENGTH:] == tail(raw[:-TAIL_LENGTH])
    return Head(title, kept_note(note), tuple(spans), "" if intact else CHANGED)


def session(value: Any, where: str, source: str) -> Conversation:
    """One session. It is refused if it is not the one that was exported."""
    try:
        if not isinstance(value, Mapping):
            raise ValueError(f"it is {outside_values.shown(value)}, not a session")
        _check(value)
        recording = session_json.from_object(value, source)
    except (ValueError, ImportRefused) as exc:
        title = outside_values.word(value.get("title")) if isinstance(value, Mapping) else None
        return Conversation(title or "", (), problems=(Problem(where, "", str(exc), "refused"),))
    return Conversation(recording.title, recording.messages, recording.about.created_at, recording=recording)


def _check(value: Mapping[str, Any]) -> None:
    """Raises ValueError if a part has another hash than the file says."""
    said = value.get(session_json.HASHES)
    found = session_json.hashes(value)
    changed = [words for name, words in PARTS.items() if not isinstance(said, Mapping) or said.get(name) != found[name]]
    if changed:
        raise ValueError(f"{' and '.join(changed)} changed after the export (SHA-256)")
