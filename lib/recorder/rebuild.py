"""Writes the body of a recorded request again, from the stored history and the session's turns.

Most apps write JSON in one of a few ways. Where one of them gives the bytes that were sent, the SHA-256 proves it; else
the values are compared, however they were written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.messages import Message, system
from lib.recorded_requests import WRITINGS, RecordedRequest
from lib.recorder.requests import INSTRUCTIONS, LISTS
from lib.turns import Turn


@dataclass(frozen=True, slots=True)
class RebuiltBody:
    """A body that was written again. `proof` is "bytes" if these are the bytes that were sent, "values" if only the
    values are the same, or empty if it differs."""

    data: bytes
    sha256: str
    proof: str


def rebuilt(turn: Turn, turns: Iterable[Turn], history: Sequence[Message]) -> RebuiltBody | None:
    """The body that a turn sent. `turns` are those of the session, in order. None if the turn was not recorded, or its
    messages are no longer stored."""
    recorded, plan = turn.recorded, turn.plan
    if recorded is None or plan is None or plan.stored >= len(history):
        return None
    sent = elements_as_sent(turn, turns)
    elements: list[Any] = [
        {"role": "system", "content": turn.system_prompt} if element is None else element for element in recorded.lead
    ]
    for start, stop, included, _ in plan.runs:
        for index in range(start, stop) if included else ():
            elements += sent.get(index) or (history[index].to_dict(),)
    body = body_of(recorded, turn.request, turn.system_prompt, elements)
    data = written(body, recorded.writing)
    sha256 = hashlib.sha256(data).hexdigest()
    by_values = values_sha256(body) == recorded.values_sha256
    return RebuiltBody(data, sha256, "bytes" if sha256 == turn.request_sha256 else "values" if by_values else "")


def messages_sent(turn: Turn, turns: Iterable[Turn], history: Sequence[Message]) -> list[Message]:
    """The messages that a turn sent, its instructions first, with the words that the app used."""
    plan, recorded = turn.plan, turn.recorded
    if plan is None or recorded is None:
        return []
    sent = elements_as_sent(turn, turns) if recorded.path != "/v1/responses" else {}
    messages = [system(turn.system_prompt)] if plan.system_tokens is not None else []
    for start, stop, included, _ in plan.runs:
        for index in range(start, min(stop, len(history))) if included else ():
            messages += [Message.from_dict(element) for element in sent.get(index, ())] or [history[index]]
    return messages


def elements_as_sent(turn: Turn, turns: Iterable[Turn]) -> dict[int, tuple[Any, ...]]:
    """The elements of messages that this request did not send as they are stored, by stored index."""
    sent: dict[int, tuple[Any, ...]] = {}
    for each in turns:
        if each.number > turn.number or each.recorded is None:
            continue
        for index, elements in each.recorded.as_sent.items():
            if elements is None:
                sent.pop(index, None)
            else:
                sent[index] = elements
    return sent


def body_of(
    recorded: RecordedRequest, rest: Mapping[str, Any], system_prompt: str, elements: Sequence[Any]
) -> dict[str, Any]:
    """The body's fields in their order."""
    messages, instructions = LISTS[recorded.path], INSTRUCTIONS.get(recorded.path)
    body: dict[str, Any] = {}
    for name in recorded.fields:
        if name == messages and name not in rest:
            body[name] = list(elements)
        elif name == instructions and name not in rest:
            body[name] = system_prompt
        else:
            body[name] = rest.get(name)
    return body


def written(value: Any, writing: str) -> bytes:
    """A value as JSON, written in one of WRITINGS."""
    separators = None if writing.startswith("spaced") else (",", ":")
    try:
        return json.dumps(value, ensure_ascii="ascii" in writing, separators=separators).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can write
        return json.dumps(value, separators=separators).encode()


def writing_of(value: Any, data: bytes) -> str:
    """The one of WRITINGS that gives these bytes; empty if none does."""
    return next((writing for writing in WRITINGS if writing and written(value, writing) == data), "")


def values_sha256(value: Any) -> str:
    """SHA-256 of a value, whatever the order of its fields."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
