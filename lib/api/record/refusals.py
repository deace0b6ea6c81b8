"""Reports errors of ours in the shape of the vendor's own server, so that its SDK raises what it always raises."""

from __future__ import annotations

import json
from typing import Any, Literal

from starlette.responses import Response

from lib.api.errors import Refused

Kind = Literal["openai", "anthropic"]
"""Whose protocol an address speaks."""

ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
}
"""The vendor's name of an error, by status. Other ones are "api_error"."""


def refusal(kind: Kind, refused: Refused) -> Response:
    """The whole response. Its message says that Windowseat refused, and not the provider."""
    message = f"Windowseat: {refused.what} {refused.next_step}"
    data = json.dumps(body_of(kind, refused.status, refused.code, message), ensure_ascii=False).encode()
    headers = {**refused.headers, "x-windowseat-error": refused.code}
    return Response(data, refused.status, headers, "application/json")


def body_of(kind: Kind, status: int, code: str, message: str) -> dict[str, Any]:
    """The JSON object of an error."""
    if kind == "anthropic":
        return {"type": "error", "error": {"type": ANTHROPIC_TYPES.get(status, "api_error"), "message": message}}
    name = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": name, "param": None, "code": code}}
