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

NOTHING_CHANGED = "Nothing was sent, stored or changed."
STORE_SECONDS = 1
"""Seconds after which it is worth asking again while the store does not answer, or a turn runs."""

STATUS: Mapping[type[errors.ChatError], int] = {
    errors.ChatError: 500,
    errors.InvalidSettings: 503,
    errors.HistoryUnavailable: 503,
    errors.CorruptHistory: 409,
    errors.TurnInProgress: 409,
    errors.TurnLost: 409,
    errors.RuleBroken: 422,
    errors.ImportRefused: 422,
    errors.ContextOverflow: 422,
    errors.ProviderError: 502,
    errors.MissingKey: 422,
    errors.RateLimited: 429,
    errors.InvalidRequest: 422,
    errors.ContentRefused: 422,
}
"""The HTTP status of an error. A class that is not here has that of its parent. A key that the provider refuses is
ours, not the caller's: 502, never 401."""


class Refused(errors.ChatError):
    """A request that the routes do not take. `status` is the HTTP status, `code` its name for programs."""

    safe_default = NOTHING_CHANGED
    next_default = "Correct the request, then send it again."
    retryable = False

    def __init__(
        self,
        status: int,
        code: str,
        what: str,
        *,
        next_step: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, next_step=next_step)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def not_found(what: str = "There is no such address.", code: str = "not_found") -> Refused:
    """404."""
    return Refused(404, code, what, next_step="GET /api/openapi.json lists the addresses that exist.")


def invalid(what: str) -> Refused:
    """422: JSON of the right kind, with a value that cannot be used."""
    return Refused(422, "invalid_value", what)


def forbidden(what: str, *, code: str = "forbidden", next_step: str | None = None) -> Refused:
    """403."""
    return Refused(403, code, what, next_step=next_step)


def status_of(error: errors.ChatError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, Refused):
        return error.status
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def code_of(error: errors.ChatError) -> str:
    """The name of an error for programs. Example: TurnInProgress -> "turn_in_progress" """
    if isinstance(error, Refused):
        return error.code
    return re.sub(r"(?<!^)(?=[A-Z])", "_", error.kind).lower()


def body_of(error: errors.ChatError) -> dict[str, Any]:
    """The JSON object that reports an error. It holds no key, no path and no traceback."""
    return {"error": {"code": code_of(error), "message": error.what, "safe": error.safe, "next_step": error.next_step}}


def headers_of(error: errors.ChatError) -> dict[str, str]:
    """The headers that belong to an error."""
    if isinstance(error, Refused):
        return error.headers
    wait = error.wait_seconds if isinstance(error, errors.RateLimited) else None
    if isinstance(error, errors.HistoryUnavailable | errors.TurnInProgress):
        wait = STORE_SECONDS
    return {} if wait is None else {"retry-after": str(max(1, math.ceil(wait)))}


def error_response(error: errors.ChatError) -> Response:
    """The whole response for an error."""
    return json_response(body_of(error), status_of(error), headers_of(error))


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response that nobody caches. Everything outside ASCII is escaped: stored text may hold half a surrogate
    pair, which UTF-8 cannot."""
    content = json.dumps(body, allow_nan=False, separators=(",", ":")).encode("ascii")
    return Response(content, status, {"cache-control": "no-store", **(headers or {})}, "application/json")
