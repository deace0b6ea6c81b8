"""Reads an answer of the Messages protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lib import outside_values
from lib.messages import Message
from lib.providers.anthropic import read_event, usage_of
from lib.providers.boundary import ReplyReader
from lib.recorder.replies.answer import Answer, readable_reasoning

MOST_BLOCKS = 1_000
DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
"""The field of a block that a piece is added to, by the piece's type."""
INPUT = "input"


class MessagesAnswer:
    """An answer made of content blocks: texts, thoughts, tool calls."""

    def __init__(self, label: str) -> None:
        self._reader = ReplyReader(label)
        self._counts: dict[str, int] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}

    def event(self, event: Mapping[str, Any]) -> str:
        """Take one event."""
        added = self._reader.text(read_event(event, self._reader, self._counts))
        index = outside_values.count(event.get("index"))
        block, delta = event.get("content_block"), event.get("delta")
        if event.get("type") == "content_block_start" and isinstance(block, Mapping) and index is not None:
            if len(self._blocks) < MOST_BLOCKS:
                self._blocks[index] = dict(block)
        elif event.get("type") == "content_block_delta" and isinstance(delta, Mapping) and index in self._blocks:
            self._add(index, delta)
        return "" if added is None else added.text

    def whole(self, body: Mapping[str, Any]) -> str:
        """Take an answer that came in one piece."""
        blocks = [block for block in self._reader.items(body.get("content")) if isinstance(block, Mapping)]
        delta = {"stop_reason": body.get("stop_reason")}
        self.event({"type": "message_start", "message": body})
        self.event({"type": "message_delta", "delta": delta})
        self.event({"type": "message_stop"})
        self._blocks = {place: dict(block) for place, block in enumerate(blocks[:MOST_BLOCKS])}
        text = "".join(block["text"] for block in blocks if isinstance(block.get("text"), str))
        added = self._reader.text(text)
        return "" if added is None else added.text

    def messages(self, text: str) -> tuple[Message, ...]:
        """One assistant message: a single text as a string, else the blocks as they came."""
        blocks = [self._block(index) for index in sorted(self._blocks)]
        if not blocks and not self._reader.finished:
            return ()
        plain = len(blocks) == 1 and blocks[0].get("type") == "text" and not blocks[0].get("citations")
        return (Message("assistant", blocks[0].get("text", "") if plain else blocks),)

    def answer(self, text: str) -> Answer:
        """What the server said about its reply."""
        reader = self._reader
        usage = usage_of(self._counts)
        return Answer(
            text=text,
            usage=usage,
            model=reader.model or "",
            stop_reason=reader.stop_reason,
            response_id=reader.id or "",
            complete=reader.finished,
            reasoning=readable_reasoning(self._block(index) for index in sorted(self._blocks)),
            cache_diagnosis=reader.diagnosis,
            note=reader.note,
        )

    def _add(self, index: int, delta: Mapping[str, Any]) -> None:
        """Add a piece to its block."""
        kind = str(delta.get("type"))
        name = INPUT if kind == "input_json_delta" else DELTAS.get(kind)
        piece = delta.get("partial_json") if name == INPUT else delta.get(name or "")
        if name is not None and isinstance(piece, str):
            self._pieces.setdefault((index, name), []).append(piece)
        elif kind == "citations_delta":
            block = self._blocks[index]
            block["citations"] = [*(block.get("citations") or []), delta.get("citation")]

    def _block(self, index: int) -> dict[str, Any]:
        """A block with all its pieces."""
        block = dict(self._blocks[index])
        for name in (*DELTAS.values(), INPUT):
            pieces = self._pieces.get((index, name))
            if pieces is None:
                continue
            text = "".join(pieces)
            block[name] = _json_or_text(text) if name == INPUT else f"{block.get(name) or ''}{text}"
        return block


def _json_or_text(text: str) -> Any:
    """The input of a tool call; the text itself where it broke off."""
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return text
    return text if outside_values.is_too_deep(value) else value
