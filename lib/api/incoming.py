"""Reads what a request says: its body, the session in its path, and its query. Whatever cannot be used is refused."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request

from lib.api.errors import invalid
from lib.api.shapes import MOST_SHOWN, NewMessage
from lib.history import valid_session_id

SHOWN = 100
"""Messages in one response, unless the request says how many."""


def chat_request(body: dict[str, Any]) -> NewMessage:
    """The body of POST /api/chat. Raises Refused (422), which names the field."""
    try:
        asked = msgspec.convert(body, NewMessage)
    except msgspec.ValidationError as exc:
        raise invalid(f"The body cannot be used: {exc}.") from None
    if asked.session_id is not None:
        checked_id(asked.session_id)
    if asked.model is not None and asked.model != asked.model.strip():
        raise invalid("The body cannot be used: the model's name begins or ends with a blank.")
    return asked


def checked_id(session_id: str) -> str:
    """The id itself. Raises Refused (422) if it is none."""
    if not valid_session_id(session_id) or session_id in (".", ".."):
        raise invalid("A session id has 1 to 128 of the characters A-Z a-z 0-9 . _ -")
    return session_id


def session_in_path(request: Request) -> str:
    """The session id in the address."""
    return checked_id(request.path_params["session_id"])


def window_of(request: Request) -> tuple[int, int | None]:
    """How many messages to show, and the stored index before which they end (None: the end of the chat)."""
    limit = _whole(request, "limit", 1, MOST_SHOWN)
    return SHOWN if limit is None else limit, _whole(request, "before", 0, 10**9)


def _whole(request: Request, name: str, least: int, most: int) -> int | None:
    """A whole number of the query; None where it is not given."""
    values = request.query_params.getlist(name)
    if not values:
        return None
    text = values[0]
    if len(values) > 1 or not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise invalid(f"“{name}” must be given once, as a whole number from {least} to {most}.")
    return int(text)
