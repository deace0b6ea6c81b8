"""Reads the body of a request that an app sent, in any of the three protocols.

Everything is checked and bounded. Nothing of the body is changed: a message that can be stored as it is stays so, and
the elements of the body are kept beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from lib import outside_values
from lib.messages import Message
from lib.recorder.keys import key_of
from lib.recorder.response_items import messages_of_items

MOST_MESSAGES = 20_000
"""Most messages of one request."""
LISTS = {"/v1/chat/completions": "messages", "/v1/messages": "messages", "/v1/responses": "input"}
"""The field of a body that holds its messages, by path."""
INSTRUCTIONS = {"/v1/messages": "system", "/v1/responses": "instructions"}
"""The field that holds the instructions, where they are not among the messages."""
LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")


class Unreadable(Exception):
    """The request cannot be recorded. `what` says why, as the end of a sentence that begins with "The body"."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message of a request: as it can be stored, and as elements of the body's list."""

    message: Message
    elements: tuple[Any, ...]
    key: bytes
    """Equal for messages that say the same: see lib/recorder/keys.py."""


@dataclass(frozen=True, slots=True)
class AppRequest:
    """A request as an app sent it. `rest` holds the fields of the body without messages and plain instructions."""

    path: str
    body: Mapping[str, Any]
    model: str
    messages: tuple[SentMessage, ...]
    system_prompt: str | None
    lead: tuple[Any, ...]
    rest: Mapping[str, Any]
    previous_id: str | None = None
    """The answer that a server is asked to continue, in the Responses protocol."""

    @property
    def max_output_tokens(self) -> int:
        """Tokens that the reply may have; 0 if the request does not say."""
        return next((count for name in LIMITS if (count := outside_values.count(self.rest.get(name)))), 0)


def read_request(path: str, data: bytes) -> AppRequest:
    """The request in these bytes. Raises Unreadable."""
    body = _json_object(data)
    elements = body.get(LISTS[path])
    if path == "/v1/responses" and isinstance(elements, str):
        elements = [{"role": "user", "content": elements}]
    if not isinstance(elements, list) or not elements:
        raise Unreadable(f"has no list of messages in “{LISTS[path]}”")
    if len(elements) > MOST_MESSAGES:
        raise Unreadable(f"has more than {MOST_MESSAGES:,} messages")
    lead = _leading_instructions(path, elements)
    messages = _messages(path, elements[len(lead) :])
    field = INSTRUCTIONS.get(path, "")
    texts = [_text(body[field])] if body.get(field) else []
    texts += [_text(element["content"]) for element in lead]
    prompt = "\n\n".join(texts) if texts else None
    plain = {"role": "system", "content": prompt}
    hidden = {LISTS[path]} if isinstance(body[LISTS[path]], list) else set()
    hidden |= {field} if isinstance(body.get(field), str) and body[field] == prompt else set()
    return AppRequest(
        path,
        body,
        outside_values.word(body.get("model")) or "",
        messages,
        prompt,
        tuple(None if _same_text(element, plain) else element for element in lead),
        {name: value for name, value in body.items() if name not in hidden},
        outside_values.word(body.get("previous_response_id")) if path == "/v1/responses" else None,
    )


def _json_object(data: bytes) -> dict[str, Any]:
    def no_constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is not JSON")

    try:
        body = json.loads(data, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Unreadable("is not JSON that can be read") from None
    if not isinstance(body, dict):
        raise Unreadable("is not a JSON object")
    if outside_values.is_too_deep(body):
        raise Unreadable(f"is nested more than {outside_values.MOST_LEVELS} levels deep")
    return body


def _leading_instructions(path: str, elements: Sequence[Any]) -> list[Any]:
    """The instructions that stand before everything else. They are kept as the turn's system prompt, because many apps
    write the date or a summary into them, so that they differ from one request to the next."""
    lead: list[Any] = []
    for element in elements:
        is_message = isinstance(element, Mapping) and element.get("type", "message") == "message"
        if path == "/v1/messages" or not is_message or element.get("role") not in ("system", "developer"):
            break
        if not isinstance(element.get("content"), str | list):
            break
        lead.append(element)
    return lead if len(lead) < len(elements) else lead[:-1]  # a request of instructions only still has a message


def _messages(path: str, elements: Sequence[Any]) -> tuple[SentMessage, ...]:
    if path == "/v1/responses":
        pairs = messages_of_items(elements)
        if pairs is None:
            raise Unreadable("holds an input item that is no object")
    else:
        try:
            pairs = [(Message.from_dict(element), [element]) for element in elements]
        except ValueError as error:
            raise Unreadable(f"holds something that is no message: {error}") from None
    return tuple(SentMessage(message, tuple(each), key_of(message)) for message, each in pairs)


def _text(content: Any) -> str:
    """The text of instructions: a string, or the texts of its parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n\n".join(str(part["text"]) for part in parts if isinstance(part, Mapping) and "text" in part)


def _same_text(one: Any, other: Any) -> bool:
    """Whether two JSON values are written the same, the order of fields included."""
    return json.dumps(one) == json.dumps(other)
