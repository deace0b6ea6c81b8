"""Requests, responses and ids as the endpoints see them, independent of any web framework."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

LABEL = "replica on this machine, not OpenAI"
LABEL_HEADER = "x-windowseat-replica"
FINGERPRINT = "windowseat-replica"
"""The `system_fingerprint` of every object; no vendor's object has this one."""
LETTERS = string.ascii_letters + string.digits

Json = dict[str, Any]
Clock = Callable[[], float]
"""Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: path parameters, query, headers (names in lower case) and JSON body."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON response."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Events:
    """A response as server-sent events. `close` is called once when it ends, however it ends, even if it never
    began."""

    events: AsyncGenerator[bytes, None]
    close: Callable[[], None] = lambda: None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[Answer | Events]]
Route = tuple[str, str, Handler]
"""HTTP method, path pattern and handler."""


def new_id(prefix: str, length: int) -> str:
    """A prefix followed by this many random letters and digits."""
    return prefix + "".join(secrets.choice(LETTERS) for _ in range(length))


def hex_id(prefix: str) -> str:
    """An id in the format of Responses and Conversations."""
    return f"{prefix}_{secrets.token_hex(24)}"


def short_id(prefix: str) -> str:
    """An id in the format of Assistants."""
    return new_id(f"{prefix}_", 24)


def event(name: str, data: Mapping[str, Any] | str) -> bytes:
    """One server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"event: {name}\ndata: {text}\n\n".encode(errors="replace")
