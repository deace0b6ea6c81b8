"""Reads an answer of the Responses protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib import outside_values
from lib.messages import Message, Usage
from lib.providers.boundary import ReplyReader, part
from lib.recorder.replies.answer import Answer, readable_reasoning
from lib.recorder.response_items import messages_of_items

TEXT_DELTAS = ("response.output_text.delta", "response.refusal.delta")
ENDS = ("response.completed", "response.incomplete", "response.failed")
STOP_REASONS = {"max_output_tokens": "length", "content_filter": "refused"}
MOST_ITEMS = 1_000


class ResponsesAnswer:
    """An answer made of output items: reasoning, texts, tool calls."""

    def __init__(self, label: str) -> None:
        self._reader = ReplyReader(label)
        self._usage = Usage()
        self._items: dict[int, Mapping[str, Any]] = {}
        self._failure = ""

    def event(self, event: Mapping[str, Any]) -> str:
        """Take one event."""
        kind = event.get("type")
        item, index = event.get("item"), outside_values.count(event.get("output_index"))
        if kind in TEXT_DELTAS:
            added = self._reader.text(event.get("delta"))
            return "" if added is None else added.text
        if kind == "response.output_item.done" and isinstance(item, Mapping) and len(self._items) < MOST_ITEMS:
            self._items[len(self._items) if index is None else index] = item
        response = event.get("response")
        if isinstance(response, Mapping):
            self._described(response)
            self._reader.finished = self._reader.finished or kind in ENDS
        return ""

    def whole(self, body: Mapping[str, Any]) -> str:
        """Take an answer that came in one piece."""
        self._described(body)
        self._reader.finished = True
        texts = [
            text
            for item in self._items.values()
            for each in self._reader.items(item.get("content"))
            if isinstance(text := part(each, "text") or part(each, "refusal"), str)
        ]
        added = self._reader.text("".join(texts))
        return "" if added is None else added.text

    def messages(self, text: str) -> tuple[Message, ...]:
        """Usually one assistant message, with its tool calls."""
        found = messages_of_items([self._items[place] for place in sorted(self._items)])
        if not found:
            return (Message("assistant", text),) if text or (self._reader.finished and not self._failure) else ()
        return tuple(message for message, _ in found)

    def answer(self, text: str) -> Answer:
        """What the server said about its reply."""
        reader = self._reader
        note = " ".join(each for each in (self._failure, reader.note) if each)
        return Answer(
            text=text,
            usage=self._usage,
            model=reader.model or "",
            stop_reason=reader.stop_reason,
            response_id=reader.id or "",
            complete=reader.finished,
            reasoning=readable_reasoning(self._items[place] for place in sorted(self._items)),
            cache_diagnosis=reader.diagnosis,
            note=note,
        )

    def _described(self, response: Mapping[str, Any]) -> None:
        """Take what a response object says about the whole reply."""
        reader = self._reader
        reader.id = reader.told("id", response.get("id")) or reader.id
        reader.model = reader.told("model", response.get("model")) or reader.model
        reader.diagnosed(response.get("prompt_cache_diagnostics"))
        output = [item for item in reader.items(response.get("output")) if isinstance(item, Mapping)]
        if output:
            self._items = dict(enumerate(output[:MOST_ITEMS]))
        reported = response.get("usage")
        if isinstance(reported, Mapping):
            self._usage = Usage(
                input_tokens=reader.count(reported, "input_tokens"),
                cached_tokens=reader.count(part(reported, "input_tokens_details"), "cached_tokens"),
                output_tokens=reader.count(reported, "output_tokens"),
                reasoning_tokens=reader.count(part(reported, "output_tokens_details"), "reasoning_tokens"),
            )
        status = reader.told("status", response.get("status"))
        why = reader.told("reason", part(response.get("incomplete_details"), "reason"))
        if status == "completed":
            reader.stop_reason = "end"
        elif status in ("incomplete", "failed", "cancelled"):
            reader.stop_reason = STOP_REASONS.get(why or "", why or status)
        error = part(response.get("error"), "message")
        if isinstance(error, str) and error:
            self._failure = f"The server said: {error[:500]}"
