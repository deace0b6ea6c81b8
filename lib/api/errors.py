"""The one shape in which the HTTP routes report an error, and the status of each error.

    {"error": {"code": "turn_in_progress", "message": "…", "safe": "…", "next_step": "…"}}

`code` is the name of the error's class in words, for programs; the other three are sentences for people: what happened,
what is safe, and what to do next. `Retry-After` is sent where waiting helps, and says how many seconds.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from lib import errors
from lib.errors import ChatError

NOTHING_CHANGED = "Nothing was sent, stored or changed."
WAIT_SECONDS = 1
"""Seconds after which it is worth asking again while a turn runs, or while the store does not answer."""

STATUS: Mapping[type[ChatError], int] = {
    errors.ChatError: 500,
    errors.InvalidSettings: 503,
    errors.NotYours: 403,
    errors.HistoryUnavailable: 503,
    errors.CorruptHistory: 409,
    errors.TurnInProgress: 409,
    errors.Stopped: 409,
    errors.TurnLost: 409,
    errors.RuleBroken: 422,
    errors.ImportRefused: 422,
    errors.InvalidLesson: 422,
    errors.ForeignSession: 403,
    errors.SpendingCapReached: 402,
    errors.ContextOverflow: 422,
    errors.ProviderError: 502,
    errors.MissingKey: 422,
    errors.RateLimited: 429,
    errors.InvalidRequest: 422,
    errors.ContentRefused: 422,
}
"""The HTTP status of an error. A class that is not here has that of its parent. A key that the provider refuses is
ours, not the caller's: 502, never 401."""

WORDS: Mapping[type[ChatError], tuple[str, str]] = {
    errors.TurnInProgress: (NOTHING_CHANGED, "Send it again when the reply is complete."),
    errors.HistoryUnavailable: ("Nothing was changed.", "Send it again when the history store answers."),
    errors.NotYours: ("Nothing was changed.", "Use another sessionId, or ask its owner to share the chat."),
    errors.MissingKey: (errors.KEPT, "Set the key where the app is configured, or name another provider."),
    errors.WrongKey: (errors.KEPT, "Correct the key where the app is configured, then send the message again."),
}
"""What is safe and what to do next, where the words of the pages speak of a box and of buttons."""


class Refused(Exception):
    """A request that the routes do not take. `status` is the HTTP status, `code` its name for programs."""

    def __init__(
        self,
        status: int,
        code: str,
        what: str,
        *,
        safe: str = NOTHING_CHANGED,
        next_step: str = "Correct the request, then send it again.",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what)
        self.status = status
        self.code = code
        self.what = what
        self.safe = safe
        self.next_step = next_step
        self.headers = dict(headers or {})


def not_found() -> Refused:
    """404 for an address that does not exist."""
    step = "GET /api/openapi.json lists the addresses that exist."
    return Refused(404, "not_found", "There is no such address.", next_step=step)


def no_such_session() -> Refused:
    """404 for a session that does not exist, or that the caller may not know of."""
    what = "There is no such chat. It may have expired or been cleared."
    return Refused(404, "no_such_session", what, next_step="A message sent with this sessionId begins it.")


def forbidden(code: str, what: str, next_step: str) -> Refused:
    """403."""
    return Refused(403, code, what, next_step=next_step)


def invalid(what: str) -> Refused:
    """422: JSON of the right kind, with a value that cannot be used."""
    return Refused(422, "invalid_value", what)


def unexpected(error: Exception) -> Refused:
    """500: a fault of the app. The log has the rest."""
    what = f"Something unexpected went wrong here ({type(error).__name__})."
    return Refused(500, "unexpected", what, safe="The stored conversation is as it was.", next_step="Try again.")


def refusal_of(error: ChatError) -> Refused:
    """How an error of the app is reported."""
    status = next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)
    code = re.sub(r"(?<!^)(?=[A-Z])", "_", error.kind).lower()
    safe, next_step = WORDS.get(type(error), (error.safe, error.next_step))
    safe = error.safe if error.safe != error.safe_default else safe
    next_step = error.next_step if error.next_step != error.next_default else next_step
    wait = error.wait_seconds if isinstance(error, errors.RateLimited) else None
    if isinstance(error, errors.HistoryUnavailable | errors.TurnInProgress):
        wait = WAIT_SECONDS
    headers = {} if wait is None else {"retry-after": str(max(1, math.ceil(wait)))}
    return Refused(status, code, error.what, safe=safe, next_step=next_step, headers=headers)


def body_of(error: ChatError | Refused) -> dict[str, Any]:
    """The JSON object that reports an error. It holds no key, no path and no traceback."""
    refused = error if isinstance(error, Refused) else refusal_of(error)
    report = {"code": refused.code, "message": refused.what, "safe": refused.safe, "next_step": refused.next_step}
    return {"error": report}


def error_response(error: ChatError | Refused) -> Response:
    """The whole response for an error."""
    refused = error if isinstance(error, Refused) else refusal_of(error)
    return json_response(body_of(refused), refused.status, refused.headers)


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response that nobody caches."""
    return Response(to_json(body), status, {"cache-control": "no-store", **(headers or {})}, "application/json")


def to_json(value: Any, *, ascii_only: bool = False) -> bytes:
    """A value as JSON on one line. Half a surrogate pair, which stored text may hold and UTF-8 cannot, is escaped;
    with `ascii_only`, so is everything else outside ASCII."""
    try:
        return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return to_json(value, ascii_only=True)
    except ValueError:  # a number such as 1e999, which was stored by another service and is infinite in Python
        return to_json(_finite(value), ascii_only=ascii_only)


def _finite(value: Any) -> Any:
    """The same value with null for every number that JSON cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value
