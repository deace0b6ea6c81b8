"""Cuts the text of a file into pieces, one for each conversation as the file has it.

A file is one JSON value (an array of conversations, an array of messages, or an object), or JSONL with a message or a
conversation in each line. Every piece is parsed once here, so a file that is broken anywhere is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from lib.errors import ImportRefused
from lib.transfer import Format, limits, refused
from lib.transfer.capsule import MARK
from lib.transfer.json_scanner import Scanner, parse
from lib.transfer.recognise import LOOKED_AT, Kind, first_recognised, recognise

WRAPPERS = ("conversations", "chats", "data", "items")
"""Names under which programs wrap a list of conversations."""
LISTS: dict[Format, str] = {"openai": "messages", "anthropic": "messages", "sharegpt": "conversations"}
"""The list of messages in a conversation, for the formats whose messages may also stand in a file by themselves."""


class Piece(NamedTuple):
    """A conversation of a file: its value, its place in words, its first byte and the one behind it.

    `odd` says why it cannot be used although it could be parsed. `line` is its first line, from 1. `is_lines` if it is
    all lines of the file, with a message in each.
    """

    value: Any
    where: str
    start: int
    stop: int
    odd: str = ""
    line: int = 1
    is_lines: bool = False


def cut(raw: bytes, forced: Format | None = None) -> tuple[Format, Iterator[Piece]]:
    """The format, and the pieces. Raises ImportRefused, also while the pieces are taken."""
    scanner = Scanner(raw)
    first = scanner.peek()
    if first == b"[":
        kind = _kind([(each.value, each.odd) for each in islice(Scanner(raw).elements(), LOOKED_AT)], forced)
        return kind.format, _one(raw, kind.format) if kind.is_message else _elements(raw)
    if first == b"{" and _has_lines(raw):
        kind = _kind([(each.value, each.odd) for each in islice(_lines(raw), LOOKED_AT)], forced)
        return kind.format, _messages_in_lines(raw, kind.format) if kind.is_message else _lines(raw)
    if first == b"{":
        return _object(raw, forced)
    element = scanner.value()  # raises if it is not JSON at all
    raise _unknown(f"It is {_shown(element.value)}.")


def again(raw: bytes, piece: Piece, format: Format) -> Any:
    """The value of a piece once more. Lists of messages become the object that their reader takes."""
    if piece.is_lines:
        return _shaped([each.value for each in _lines(raw)], format)
    return _shaped(parse(raw[piece.start : piece.stop], first_line=piece.line), format)


def _shaped(value: Any, format: Format) -> Any:
    """A list of messages, or a single one, as the object that the format's reader takes."""
    if format not in LISTS:
        return value
    if isinstance(value, list):
        return {LISTS[format]: value}
    kind = recognise(value)
    return {LISTS[format]: [value]} if kind is not None and kind.is_message else value


def _kind(sample: list[tuple[Any, str]], forced: Format | None) -> Kind:
    """What was recognised in these values, unless a person said what it is. Each comes with what is odd in it."""
    found = first_recognised(value for value, _ in sample)
    if forced is not None:
        alone = forced in LISTS and not any(isinstance(value, dict) and LISTS[forced] in value for value, _ in sample)
        return Kind(forced, is_message=alone)
    if found is None:
        odd = next((odd for _, odd in sample if odd), "")
        raise refused(f"This cannot be read: {odd}.") if odd else _unknown("" if sample else "It is an empty list.")
    return found


def _unknown(why: str) -> ImportRefused:
    known = "OpenAI, Anthropic, ChatGPT, Claude, ShareGPT, Open WebUI, LibreChat or a Windowseat capsule"
    return refused(f"No conversation was recognised in it: nothing looks like {known}. {why}".strip())


def _shown(value: Any) -> str:
    return {str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _elements(raw: bytes) -> Iterator[Piece]:
    """Each element of the array is a conversation."""
    scanner = Scanner(raw)
    for place, element in enumerate(scanner.elements(), 1):
        yield Piece(element.value, f"chat {place}", element.start, element.stop, element.odd)
    scanner.finish()


def _one(raw: bytes, format: Format) -> Iterator[Piece]:
    """The whole file is one conversation."""
    yield Piece(_shaped(parse(raw), format), "", 0, len(raw))


def _object(raw: bytes, forced: Format | None) -> tuple[Format, Iterator[Piece]]:
    """One conversation, or a wrapper around a list of them."""
    scanner = Scanner(raw)
    for name in scanner.members():
        if name == MARK:
            return "capsule", iter(())  # lib.transfer.capsule.read cuts it, by the same means
        if name in WRAPPERS and scanner.peek() == b"[":
            kind = first_recognised(element.value for element in islice(scanner.elements(), LOOKED_AT))
            if kind is not None and not kind.is_message:
                return forced or kind.format, _wrapped(raw, name)
            break
        scanner.value()
    value = parse(raw)
    kind = recognise(value)
    if kind is None and forced is None:
        raise _unknown("")
    found = forced or (kind.format if kind is not None else "openai")
    return found, iter([Piece(_shaped(value, found), "", 0, len(raw))])


def _wrapped(raw: bytes, wrapper: str) -> Iterator[Piece]:
    scanner = Scanner(raw)
    for name in scanner.members():
        if name != wrapper:
            scanner.value()
            continue
        for place, element in enumerate(scanner.elements(), 1):
            yield Piece(element.value, f"chat {place}", element.start, element.stop, element.odd)
    scanner.finish()


def _has_lines(raw: bytes) -> bool:
    """Whether the first line looks like a whole object, and another one begins in the next."""
    end = raw.find(b"\n")
    return end > 0 and raw[:end].rstrip().endswith(b"}") and raw[end : end + 1000].lstrip().startswith(b"{")


def _lines(raw: bytes) -> Iterator[Piece]:
    """Each line that is not blank. A line that cannot be parsed has its reason in `odd`."""
    if raw.count(b"\n") > limits.MOST_LINES:
        raise refused(f"The file has more than {limits.MOST_LINES:,} lines.")
    start = 0
    for number, line in enumerate(raw.split(b"\n"), 1):
        if line.strip():
            value, odd = None, ""
            try:
                value = parse(line, first_line=number)
            except ImportRefused as exc:
                odd = exc.what.rstrip(".")
            yield Piece(value, f"line {number:,}", start, start + len(line), odd, number)
        start += len(line) + 1


def _messages_in_lines(raw: bytes, format: Format) -> Iterator[Piece]:
    """The whole file is one conversation, with a message in each line. A line that is broken breaks it."""
    if len(raw) > limits.MOST_CONVERSATION_BYTES:
        raise refused(f"One conversation is larger than {limits.MOST_CONVERSATION_BYTES // limits.MB} MB.")
    lines = list(_lines(raw))
    broken = [piece for piece in lines if piece.odd]
    if broken:
        more = f" So are {len(broken) - 1:,} more lines." if len(broken) > 1 else ""
        raise refused(f"{broken[0].where.capitalize()}: {broken[0].odd}.{more}")
    yield Piece(_shaped([piece.value for piece in lines], format), "", 0, len(raw), is_lines=True)
