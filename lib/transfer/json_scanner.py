"""Reads JSON piece by piece and strictly: one element of a large array at a time, each checked.

Beyond what Python's json checks, these are errors: a key that stands twice in one object, NaN, Infinity and numbers too
large for a float, half a surrogate pair, and too many levels or values. Memory depends on the largest element only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lib.errors import ImportRefused
from lib.transfer import limits, refused
from lib.transfer.odd_json import Hooks

BLANKS = re.compile(rb"[ \t\r\n]*")
FIRST_WINDOW = 2 * limits.MB
NEAR_END = 16
"""Characters. An error so close to the end of the window may come from the cut."""


class Element(NamedTuple):
    """A parsed value with its first byte and the one behind it. `odd` says what is wrong in it, with its path."""

    value: Any
    start: int
    stop: int
    odd: str


class Scanner:
    """A position in JSON, which must be UTF-8. The window is the part that is decoded; it moves and grows as needed.

    `halves` allows half a surrogate pair. `first_line` is the number of the first line, for errors.
    """

    def __init__(self, raw: bytes, *, halves: bool = False, first_line: int = 1) -> None:
        self.raw = raw
        self.at = 0
        self._first_line = first_line
        self._halves = halves
        self._hooks = Hooks()
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._hooks.object, parse_constant=self._hooks.constant, parse_float=self._hooks.float
        )
        self._text, self._place, self._until = "", 0, 0  # the window, our character in it, the byte behind it

    def peek(self) -> bytes:
        """The next byte that is no blank; empty at the end."""
        blanks = BLANKS.match(self.raw, self.at)
        self._pass(blanks.end() - self.at if blanks else 0)
        return self.raw[self.at : self.at + 1]

    def take(self, expected: bytes) -> bytes:
        """Go past the next byte, which must be one of `expected`. Raises ImportRefused."""
        found = self.peek()
        if not found or found not in expected:
            raise self.broken(self.at, f"expected {' or '.join(map(chr, expected))}")
        self._pass(1)
        return found

    def value(self) -> Element:
        """Parse the next value. Raises ImportRefused if it is not JSON, or too large or too deep to be parsed."""
        if not self.peek():
            raise self.broken(len(self.raw), "")
        start, window = self.at, FIRST_WINDOW
        while True:
            if self._place < len(self._text):
                found = self._parse()
                if found is not None:
                    return found
            if window > limits.MOST_CONVERSATION_BYTES:
                most = limits.MOST_CONVERSATION_BYTES // limits.MB
                raise refused(f"One conversation is larger than {most} MB ({self._where(start)}).")
            self._decode(window)
            window *= 4

    def elements(self) -> Iterator[Element]:
        """The elements of the array that begins here."""
        self.take(b"[")
        if self.peek() == b"]":
            self.take(b"]")
            return
        while True:
            yield self.value()
            if self.take(b",]") == b"]":
                return

    def members(self) -> Iterator[str]:
        """The names in the object that begins here. The caller reads the value of each before it asks for the next."""
        names: set[str] = set()
        self.take(b"{")
        if self.peek() == b"}":
            self.take(b"}")
            return
        while True:
            if self.peek() != b'"':
                raise self.broken(self.at, "expected a name in quotes")
            name = self.value().value
            if name in names:
                raise self.broken(self.at, f"the key “{name[:40]}” stands twice")
            names.add(name)
            self.take(b":")
            yield name
            if self.take(b",}") == b"}":
                return

    def finish(self) -> None:
        """Raises ImportRefused if anything follows."""
        if self.peek():
            raise self.broken(self.at, "something follows the end of the JSON value")

    def broken(self, at: int, why: str) -> ImportRefused:
        """The error for JSON that is broken at this byte."""
        if at >= len(self.raw.rstrip()):
            return refused("The JSON is cut off: it ends in the middle.", "Download or copy it once more, to its end.")
        return refused(f"This is not valid JSON: {why} ({self._where(at)}).")

    def _where(self, at: int) -> str:
        return place(self.raw, at, self._first_line)

    def _pass(self, blanks: int) -> None:
        """Go past so many bytes that are ASCII."""
        self.at += blanks
        self._place += blanks

    def _decode(self, window: int) -> None:
        """Decode so many bytes from here on."""
        self._until = min(len(self.raw), self.at + window)
        piece = self.raw[self.at : self._until]
        if sum(map(piece.count, (b"[", b"{", b","))) > limits.MOST_VALUES:
            raise refused(f"More than {limits.MOST_VALUES:,} values in one piece ({self._where(self.at)}).")
        self._text, self._place = piece.decode(errors="ignore"), 0  # what is ignored is half a character at the end

    def _parse(self) -> Element | None:
        """The value that begins here; None if the window ends before it does."""
        cut = self._until < len(self.raw)
        self._hooks.found = False
        try:
            value, end = self._decoder.raw_decode(self._text, self._place)
        except json.JSONDecodeError as exc:
            open_string = exc.msg.startswith("Unterminated string")
            if cut and (open_string or exc.pos >= len(self._text) - NEAR_END):
                return None
            at = self.at + len(self._text[self._place : exc.pos].encode())
            raise self.broken(len(self.raw) if open_string else at, exc.msg[:1].lower() + exc.msg[1:]) from None
        except RecursionError:
            where = self._where(self.at)
            raise refused(f"It is nested more than {limits.MOST_LEVELS} levels deep ({where}).") from None
        except ValueError:  # Python reads no whole number with more than 4,300 digits
            raise refused(f"A number has too many digits ({self._where(self.at)}).") from None
        if cut and end >= len(self._text) - len("e+"):  # a number may go on
            return None
        text, start = self._text[self._place : end], self.at
        self._place, self.at = end, start + len(text.encode())
        return Element(value, start, self.at, self._hooks.what_is_odd(value, text, halves=self._halves))


def parse(raw: bytes, *, halves: bool = False, first_line: int = 1) -> Any:
    """The value in a whole JSON text. Raises ImportRefused with the place."""
    scanner = Scanner(raw, halves=halves, first_line=first_line)
    element = scanner.value()
    scanner.finish()
    if element.odd:
        raise refused(f"This cannot be read: {element.odd}.")
    return element.value


def place(raw: bytes, at: int, first_line: int = 1) -> str:
    """A position in words. Lines and bytes count from 1. Example: place(b"[\\n!", 2) -> "line 2, byte 1" """
    line, byte = raw.count(b"\n", 0, at) + first_line, at - raw.rfind(b"\n", 0, at)
    return f"line {line:,}, byte {byte:,}"
