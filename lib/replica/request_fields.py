"""Reads and checks the fields of a request, with OpenAI's errors for wrong ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.replica.errors import invalid_type, openai_error
from lib.replica.http_values import FINGERPRINT, Json

UNSUPPORTED = ("tools", "prompt", "reasoning", "reasoning_effort", "context_management", "background")
"""Fields that would change the answer and that the replica does not support."""
SAMPLING = ("temperature", "top_p")


def number(body: Mapping[str, Any], name: str, *, at_least: int, at_most: int | None = None) -> int | None:
    """An integer of the body or the query; None if it is not given."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)  # from a query
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid_type(name, "an integer")
    if value < at_least:
        raise _out_of_range(name, value, "below minimum", "below_min", f">= {at_least}")
    if at_most is not None and value > at_most:
        raise _out_of_range(name, value, "above maximum", "above_max", f"<= {at_most}")
    return value


def _out_of_range(name: str, value: int, where: str, code: str, allowed: str) -> Exception:
    message = f"Invalid '{name}': integer {where} value. Expected a value {allowed}, but got {value} instead."
    return openai_error(message, param=name, code=f"integer_{code}_value")


def text(body: Json, name: str) -> str | None:
    """A string of the body; None if it is not given."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_type(name, "a string")
    return value


def metadata(body: Json) -> Json:
    """The metadata of a request, checked as OpenAI does: at most 16 pairs."""
    given = body.get("metadata") or {}
    if not isinstance(given, dict) or len(given) > 16:
        raise openai_error("Invalid 'metadata': expected an object with at most 16 properties.", param="metadata")
    return given


def sampling_options(body: Json) -> dict[str, Any]:
    """The sampling options that a request sets."""
    return {name: body[name] for name in SAMPLING if body.get(name) is not None}


def refuse_unsupported(body: Json) -> None:
    """Refuse fields that the replica does not support; ignoring them would silently change the answer."""
    unsupported = [name for name in UNSUPPORTED if body.get(name)]
    formats = {"text": (body.get("text") or {}).get("format"), "response_format": body.get("response_format")}
    unsupported += [name for name, form in formats.items() if form not in (None, "auto", {"type": "text"})]
    if unsupported:
        message = f"Unsupported parameter: '{unsupported[0]}' is not supported by this replica."
        raise openai_error(message, param=unsupported[0], code="unsupported_parameter")


def content_text(content: Any, part_types: Sequence[str], param: str) -> str:
    """The text of a message's content: a string, or text parts of these types. Refuses every other part."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise invalid_type(param, "a string or an array")
    texts: list[str] = []
    for place, part in enumerate(content):
        where = f"{param}[{place}]"
        if not isinstance(part, dict) or part.get("type") not in part_types:
            kind = part.get("type") if isinstance(part, dict) else part
            message = f"Invalid value: '{kind}'. This replica reads text only."
            raise openai_error(message, param=where, code="invalid_value")
        if not isinstance(part.get("text"), str):
            raise openai_error(f"Invalid type for '{where}.text': expected a string.", param=where, code="invalid_type")
        texts.append(part["text"])
    return "".join(texts)


def page(entries: Sequence[Json], query: Mapping[str, str]) -> Json:
    """One page of a list stored oldest first. Query: limit (1 to 100, default 20), order (default desc), after,
    before."""
    limit = number(query, "limit", at_least=1, at_most=100) or 20
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        message = f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'."
        raise openai_error(message, param="order", code="invalid_value")
    ordered = list(entries) if order == "asc" else list(reversed(entries))
    if "after" in query:
        ordered = ordered[_place(ordered, query["after"], "after") + 1 :]
    if "before" in query:
        ordered = ordered[: _place(ordered, query["before"], "before")]
    data = ordered[:limit]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": len(ordered) > limit,
        "system_fingerprint": FINGERPRINT,
    }


def _place(entries: Sequence[Json], id_: str, param: str) -> int:
    for place, entry in enumerate(entries):
        if entry["id"] == id_:
            return place
    raise openai_error(f"No item found with id '{id_}'.", param=param)
