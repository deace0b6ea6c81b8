"""Reads a copy of an answer's bytes: decompresses them, splits a stream into events, and gives them to the protocol.

Nothing here raises: what cannot be read is said in the answer's note, and the bytes have passed already.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lib import outside_values
from lib.errors import ChatError
from lib.recorder.replies.answer import Answer, AnswerProtocol
from lib.recorder.replies.chat import ChatAnswer
from lib.recorder.replies.messages import MessagesAnswer
from lib.recorder.replies.responses import ResponsesAnswer

PROTOCOLS: Mapping[str, Callable[[str], AnswerProtocol]] = {
    "/v1/chat/completions": ChatAnswer,
    "/v1/responses": ResponsesAnswer,
    "/v1/messages": MessagesAnswer,
}
MOST_BYTES = 33_554_432
"""Bytes of an answer that are read, after decompression. The pass-through is not bounded by this."""
MOST_LINE = 8_388_608
"""Longest line of a stream, in bytes: the last event of a response holds all of it."""
MOST_ERROR = 500
"""Characters of a server's own words that are kept."""


class AnswerReader:
    """One answer. `text` grows as it is read."""

    def __init__(self, path: str, label: str, status: int, headers: Mapping[str, str]) -> None:
        self._pieces: list[str] = []
        self._protocol = PROTOCOLS[path](label)
        self._label = label
        self._status = status
        self._is_stream = "event-stream" in headers.get("content-type", "")
        self._encoding = headers.get("content-encoding", "identity").strip().lower() or "identity"
        self._inflate = _decompressor(self._encoding)
        self._room = MOST_BYTES
        self._buffer = bytearray()
        self._problem = ""
        self._failure = ""
        if self._inflate is None:
            self._problem = f"The answer is compressed with “{self._encoding[:20]}”, which cannot be read here."

    @property
    def text(self) -> str:
        """The text so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def feed(self, data: bytes) -> None:
        """Read the next bytes, as transmitted."""
        if self._problem:
            return
        try:
            plain = data if self._inflate is None else self._inflate(data, self._room + 1)
        except zlib.error:
            self._problem = "The answer's compression is damaged, so the rest of it cannot be read."
            return
        self._room -= len(plain)
        if self._room < 0:
            self._problem = f"The answer is longer than {MOST_BYTES:,} bytes; what came later was not read."
            return
        self._buffer += plain
        if self._is_stream and self._status < 300 and b"\n" in plain:
            self._read(self._events())

    def finish(self) -> Answer:
        """The whole answer, or as much of it as came."""
        if self._status >= 300:
            return self._refused()
        if not self._is_stream and not self._problem:
            self._read(iter([bytes(self._buffer)]), whole=True)
        answer = self._protocol.answer(self.text)
        messages = self._protocol.messages(self.text)
        note = " ".join(part for part in (self._failure, self._problem, answer.note) if part)
        return replace(answer, messages=messages, note=note)

    def _read(self, parts: Iterator[bytes], *, whole: bool = False) -> None:
        """Give JSON objects to the protocol."""
        for part in parts:
            value = _object(part)
            if value is None:
                self._problem = "A part of the answer is not JSON that can be read."
                return
            if isinstance(value.get("error"), Mapping) and value["error"].get("message"):
                self._failure = f"{self._label} said: {str(value['error']['message'])[:MOST_ERROR]}"
                if not value.get("object"):
                    continue
            try:
                self._pieces.append(self._protocol.whole(value) if whole else self._protocol.event(value))
            except ChatError as error:
                self._problem = f"{error.what} It was passed on, and cannot be recorded in full."
                return

    def _events(self) -> Iterator[bytes]:
        """The data of the events that are complete. An event ends with an empty line."""
        text = self._buffer.replace(b"\r\n", b"\n")
        whole, blank, rest = bytes(text).rpartition(b"\n\n")
        self._buffer = bytearray(rest)
        if len(self._buffer) > MOST_LINE:
            self._problem = "An event of the answer is too long to be read."
        for event in whole.split(b"\n\n") if blank else ():
            lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
            data = b"\n".join(lines)
            if data and data != b"[DONE]":
                yield data

    def _refused(self) -> Answer:
        """An answer that is no success: what the server said."""
        value = _object(bytes(self._buffer)) or {}
        error = value.get("error")
        said = error.get("message") if isinstance(error, Mapping) else error
        words = f": {outside_values.shown(said) if not isinstance(said, str) else said[:MOST_ERROR]}" if said else "."
        note = f"{self._label} answered with the status {self._status}{words} {self._problem}".strip()
        return Answer(stop_reason=f"status {self._status}", note=note)


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and not outside_values.is_too_deep(value) else None


def _decompressor(encoding: str) -> Callable[[bytes, int], bytes] | None:
    """A function (bytes, at most so many) -> decompressed bytes; None for an encoding that is not known."""
    if encoding == "identity":
        return lambda data, most: data
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return None
    # 32 more: the header says whether it is gzip or zlib
    return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress
