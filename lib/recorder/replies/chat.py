"""Reads an answer of the Chat Completions protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib import outside_values
from lib.messages import Message, Usage
from lib.providers.boundary import ReplyReader
from lib.providers.openai import read_chunk, reasoning_in, usage_in
from lib.recorder.replies.answer import Answer

MOST_CALLS = 512


class ChatAnswer:
    """The first choice of an answer: the only one that a conversation can go on with."""

    def __init__(self, label: str) -> None:
        self._reader = ReplyReader(label)
        self._usage = Usage()
        self._calls: dict[int, dict[str, Any]] = {}
        self._refused = self._has_content = False
        self._choices = 1

    def event(self, event: Mapping[str, Any]) -> str:
        """Take one chunk."""
        choices = self._reader.items(event.get("choices"))
        first = [each for each in choices if isinstance(each, Mapping) and not each.get("index")]
        self._choices = max([self._choices, *(1 + (_index(each) or 0) for each in choices)])
        if choices and not first:
            return ""
        self._usage = usage_in(event, self._reader) or self._usage
        delta = first[0].get("delta") if first else None
        if isinstance(delta, Mapping):
            self._refused = self._refused or bool(delta.get("refusal"))
            self._has_content = self._has_content or bool(delta.get("content"))
            for place, call in enumerate(self._reader.items(delta.get("tool_calls"))):
                self._call(call, place)
        chosen = {**event, "choices": first} if first else event
        self._reader.reasoning(reasoning_in(chosen))
        added = self._reader.text(read_chunk(chosen, self._reader))
        return "" if added is None else added.text

    def whole(self, body: Mapping[str, Any]) -> str:
        """Take an answer that came in one piece."""
        choices = [
            {**each, "delta": each.get("message")}
            for each in self._reader.items(body.get("choices"))
            if isinstance(each, Mapping)
        ]
        text = self.event({**body, "choices": choices})
        self._reader.finished = self._reader.finished or bool(choices)
        return text

    def messages(self, text: str) -> tuple[Message, ...]:
        """One assistant message; none if nothing came."""
        calls = [self._calls[place] for place in sorted(self._calls)]
        if not (text or calls or self._reader.finished):
            return ()
        only_refused = self._refused and not self._has_content
        extra: dict[str, Any] = {"refusal": text} if only_refused else {}
        extra |= {"tool_calls": calls} if calls else {}
        return (Message("assistant", None if only_refused or (calls and not text) else text, extra),)

    def answer(self, text: str) -> Answer:
        """What the server said about its reply."""
        reader, note = self._reader, self._reader.note
        if self._choices > 1:
            note = f"The server gave {self._choices} replies; the first one is stored. {note}".strip()
        return Answer(
            text=text,
            usage=self._usage,
            model=reader.model or "",
            stop_reason=reader.stop_reason,
            response_id=reader.id or "",
            complete=reader.finished,
            reasoning=reader.whole_reasoning,
            note=note,
        )

    def _call(self, piece: Any, place: int) -> None:
        """Add a piece of a tool call to the call that it belongs to."""
        if not isinstance(piece, Mapping):
            return
        index = outside_values.count(piece.get("index"))
        index = place if index is None else index
        if index not in self._calls and len(self._calls) >= MOST_CALLS:
            return
        call = self._calls.setdefault(index, {"id": "", "type": piece.get("type") or "function"})
        call["id"] = call["id"] or piece.get("id") or ""
        for kind, argument in (("function", "arguments"), ("custom", "input")):
            inner = piece.get(kind)
            if not isinstance(inner, Mapping):
                continue
            known = call.setdefault(kind, {"name": "", argument: ""})
            for name in ("name", argument):
                known[name] += inner[name] if isinstance(inner.get(name), str) else ""


def _index(choice: Any) -> int | None:
    return outside_values.count(choice.get("index")) if isinstance(choice, Mapping) else None
