"""Error responses with the vendors' statuses, shapes and wording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.replica.http_values import Answer, new_id


class Refused(Exception):
    """The request is answered with this error response."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


def openai_error(
    message: str,
    *,
    status: int = 400,
    param: str | None = None,
    code: str | None = None,
    kind: str = "invalid_request_error",
) -> Refused:
    """An error in OpenAI's shape."""
    return Refused(Answer({"error": {"message": message, "type": kind, "param": param, "code": code}}, status))


def missing_parameter(param: str, message: str | None = None) -> Refused:
    """A required field is not there, as OpenAI words it."""
    return openai_error(
        message or f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
    )


def invalid_type(param: str, expected: str) -> Refused:
    """A field has the wrong type, as OpenAI words it."""
    return openai_error(f"Invalid type for '{param}': expected {expected}.", param=param, code="invalid_type")


def not_found(what: str, id_: str) -> Refused:
    """404 as Responses and Conversations word it."""
    return openai_error(f"{what} with id '{id_}' not found.", status=404)


def not_found_in_assistants(what: str, id_: str) -> Refused:
    """404 as Assistants words it."""
    return openai_error(f"No {what} found with id '{id_}'.", status=404)


def overflow(tokens: int | None = None, input_budget: int | None = None) -> Refused:
    """The input does not fit, as OpenAI words it. OpenAI gives no numbers; known ones are added under llama.cpp's
    names: `n_prompt_tokens` of the input, and `n_ctx`, the tokens that the window leaves for input."""
    refused = openai_error(
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        param="input",
        code="context_length_exceeded",
    )
    numbers = {"n_prompt_tokens": tokens, "n_ctx": input_budget}
    refused.answer.body["error"] |= {name: number for name, number in numbers.items() if number is not None}
    return refused


def anthropic_error(
    message: str, *, status: int = 400, kind: str = "invalid_request_error", details: Mapping[str, Any] | None = None
) -> Refused:
    """An error in Anthropic's shape; `details` holds `error_code`."""
    request_id = new_id("req_01", 22)
    error = {"type": kind, "message": message} | ({"details": dict(details)} if details else {})
    body = {"type": "error", "error": error, "request_id": request_id}
    return Refused(Answer(body, status, {"request-id": request_id}))
