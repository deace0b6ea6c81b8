"""Requests, answers, refusals, ids and pages, as the endpoints see them.

What for: the endpoints know no web framework. The rule: a refusal has the body and the status the vendor's server has.
It leaves out HTTP itself, which is web.py.
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LABEL = "replica on this machine, not OpenAI"
LABEL_HEADER = "x-windowseat-replica"
FINGERPRINT = "windowseat-replica"
"""In `system_fingerprint` of every object, where no vendor's object says this."""
NOT_HERE = ("tools", "prompt", "reasoning", "reasoning_effort", "context_management", "background")
LETTERS = string.ascii_letters + string.digits

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole JSON answer."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Events:
    """An answer in server-sent events. `done` is called once at its end, however it ends, even if it never began."""

    events: AsyncGenerator[bytes, None]
    done: Callable[[], None] = lambda: None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[Answer | Events]]
Route = tuple[str, str, Handler]


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


def refuse(
    message: str,
    *,
    status: int = 400,
    param: str | None = None,
    code: str | None = None,
    kind: str = "invalid_request_error",
) -> Refused:
    """A refusal in OpenAI's shape."""
    return Refused(Answer({"error": {"message": message, "type": kind, "param": param, "code": code}}, status))


def overflow(tokens: int | None = None, room: int | None = None) -> Refused:
    """The input does not fit, as OpenAI words it. OpenAI names no numbers; these are added, where they are known, under the
    names that llama.cpp has for them: the input's tokens, and what the window has left for input."""
    refused = refuse(
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        param="input",
        code="context_length_exceeded",
    )
    numbers = {"n_prompt_tokens": tokens, "n_ctx": room}
    refused.answer.body["error"] |= {name: number for name, number in numbers.items() if number is not None}
    return refused


def claude_refuse(
    message: str, *, status: int = 400, kind: str = "invalid_request_error", details: Mapping[str, Any] | None = None
) -> Refused:
    """A refusal in Anthropic's shape; `details` holds `error_code`."""
    request_id = new_id("req_01", 22)
    error = {"type": kind, "message": message} | ({"details": dict(details)} if details else {})
    body = {"type": "error", "error": error, "request_id": request_id}
    return Refused(Answer(body, status, {"request-id": request_id}))


def missing(what: str, identifier: str) -> Refused:
    """404 as Responses and Conversations word it."""
    return refuse(f"{what} with id '{identifier}' not found.", status=404)


def new_id(prefix: str, length: int) -> str:
    """Random letters and digits after a prefix."""
    return prefix + "".join(secrets.choice(LETTERS) for _ in range(length))


def hex_id(prefix: str) -> str:
    """An id as Responses and Conversations make them."""
    return f"{prefix}_{secrets.token_hex(24)}"


def short_id(prefix: str) -> str:
    """An id as Assistants made them."""
    return new_id(f"{prefix}_", 24)


def event(name: str, data: Mapping[str, Any] | str) -> bytes:
    """One server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"event: {name}\ndata: {text}\n\n".encode(errors="replace")


def page(entries: Sequence[Json], query: Mapping[str, str]) -> Json:
    """One page of a list that is kept oldest first. Query: limit (1 to 100, 20), order (desc), after, before."""
    limit = number(dict(query), "limit", at_least=1, at_most=100) or 20
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise refuse(
            f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.", param="order", code="invalid_value"
        )
    ordered = list(entries) if order == "asc" else list(reversed(entries))
    if "after" in query:
        ordered = ordered[_place(ordered, query["after"], "after") + 1 :]
    if "before" in query:
        ordered = ordered[: _place(ordered, query["before"], "before")]
    shown = ordered[:limit]
    ends = (shown[0]["id"], shown[-1]["id"]) if shown else (None, None)
    return {
        "object": "list",
        "data": shown,
        "first_id": ends[0],
        "last_id": ends[1],
        "has_more": len(ordered) > limit,
        "system_fingerprint": FINGERPRINT,
    }


def _place(entries: Sequence[Json], identifier: str, param: str) -> int:
    for place, entry in enumerate(entries):
        if entry["id"] == identifier:
            return place
    raise refuse(f"No item found with id '{identifier}'.", param=param)


def number(body: Json, name: str, *, at_least: int, at_most: int | None = None) -> int | None:
    """A whole number of the body or the query, None where it is not given."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)  # from a query
    if not isinstance(value, int) or isinstance(value, bool):
        raise refuse(f"Invalid type for '{name}': expected an integer.", param=name, code="invalid_type")
    for wrong, which, bound, sign in (
        (value < at_least, "below_min", at_least, ">="),
        (at_most is not None and value > at_most, "above_max", at_most, "<="),
    ):
        if wrong:
            side = "below minimum" if sign == ">=" else "above maximum"
            what = f"Invalid '{name}': integer {side} value. Expected a value {sign} {bound}, but got {value} instead."
            raise refuse(what, param=name, code=f"integer_{which}_value")
    return value


def metadata(body: Json) -> Json:
    """The metadata of a request, checked as OpenAI does: at most 16 pairs."""
    given = body.get("metadata") or {}
    if not isinstance(given, dict) or len(given) > 16:
        raise refuse("Invalid 'metadata': expected an object with at most 16 properties.", param="metadata")
    return given


def text(body: Json, name: str) -> str | None:
    """A string of the body, None where it is not given."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise refuse(f"Invalid type for '{name}': expected a string.", param=name, code="invalid_type")
    return value


def only_text(body: Json) -> None:
    """Refuse fields that this replica does not have: leaving them out silently would change the answer."""
    wanted = [name for name in NOT_HERE if body.get(name)]
    for name, form in (
        ("text", (body.get("text") or {}).get("format")),
        ("response_format", body.get("response_format")),
    ):
        if form not in (None, "auto", {"type": "text"}):
            wanted.append(name)
    if wanted:
        what = f"Unsupported parameter: '{wanted[0]}' is not supported by this replica."
        raise refuse(what, param=wanted[0], code="unsupported_parameter")


def parts_text(content: Any, kinds: Sequence[str], param: str) -> str:
    """The text of a content: a string, or text parts of these kinds. Refuses every other part."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise refuse(f"Invalid type for '{param}': expected a string or an array.", param=param, code="invalid_type")
    found: list[str] = []
    for place, part in enumerate(content):
        where = f"{param}[{place}]"
        if not isinstance(part, dict) or part.get("type") not in kinds:
            kind = part.get("type") if isinstance(part, dict) else part
            raise refuse(f"Invalid value: '{kind}'. This replica reads text only.", param=where, code="invalid_value")
        if not isinstance(part.get("text"), str):
            raise refuse(f"Invalid type for '{where}.text': expected a string.", param=where, code="invalid_type")
        found.append(part["text"])
    return "".join(found)
