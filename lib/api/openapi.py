"""The OpenAPI document of the HTTP routes, made of the types in lib/api/shapes.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from lib.api import shapes

REF = "#/components/schemas/{name}"
SESSION_ID = {"type": "string", "pattern": shapes.SESSION_ID}
SESSION = {"name": "sessionId", "in": "path", "required": True, "schema": SESSION_ID}
EXAMPLE = (
    ("delta", '{"sessionId": "…", "text": "Hel"}'),
    ("delta", '{"sessionId": "…", "text": "lo"}'),
    ("done", '{"sessionId": "…", "reply": "Hello", "usage": {"input_tokens": 12, "output_tokens": 2}}'),
)
SAME = "$response.body#/sessionId"
LINKS = {
    "read": {"operationId": "read", "parameters": {"sessionId": SAME}},
    "clear": {"operationId": "clear", "parameters": {"sessionId": SAME}},
    "goOn": {"operationId": "send", "requestBody": {"message": "Go on.", "sessionId": SAME}},
}
"""What can be done next with the chat of a reply."""
REFUSALS = {
    400: "the body is not a JSON object",
    401: "the token is missing or wrong",
    403: "the request comes from elsewhere, or from a page of another site",
    404: "there is no such chat",
    405: "the address does not take this method",
    402: "the message could pass a spending cap, so it was not sent",
    409: "a turn of this chat is being answered, or what is stored stands in the way",
    413: "the body is too large",
    415: "the body is not sent as JSON",
    422: "a value cannot be used: ours refuse it, or the provider does",
    429: "the provider wants fewer requests",
    500: "a fault of the app",
    502: "the provider failed or cannot be reached",
    503: "the history store does not answer, or a setting cannot be used",
}
WAITING = (409, 429, 503)
"""Statuses that may come with Retry-After."""
ALWAYS = (401, 403, 500, 503)


def document(providers: Iterable[str]) -> dict[str, Any]:
    """The document, with the providers that are set up."""
    _, schemas = msgspec.json.schema_components(
        (shapes.NewMessage, shapes.ChatReply, shapes.Delta, shapes.Cleared, shapes.Chat, shapes.Health, shapes.Error),
        ref_template=REF,
    )
    for schema in schemas.values():
        schema["description"] = " ".join(schema["description"].split())
    named = [{"type": "string", "enum": list(providers)}, {"type": "null"}]
    schemas["NewMessage"]["properties"]["provider"]["anyOf"] = named
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Windowseat",
            "version": "1",
            "description": "Send messages to the chats of this app, and read and clear them.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "paths": {
            "/api/chat": {"post": _send()},
            "/api/chat/{sessionId}": {"get": _read(), "delete": _clear()},
            "/api/health": {"get": _health()},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "WINDOWSEAT_API_TOKEN. Without one, requests from this machine need none.",
                }
            },
        },
    }


def _send() -> dict[str, Any]:
    reply = _answer("the reply", "ChatReply") | {"links": LINKS}
    reply["content"]["text/event-stream"] = {
        "schema": {"type": "string"},
        "example": "".join(f"event: {name}\ndata: {data}\n\n" for name, data in EXAMPLE),
    }
    return {
        "operationId": "send",
        "summary": "Send a message and get the reply",
        "description": (
            "With “Accept: text/event-stream” the reply comes in pieces: events “delta” (Delta), then one “done”"
            " (ChatReply) or “error” (Error). The turn goes on if the client leaves."
        ),
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("NewMessage")}}},
        "responses": {"200": reply, **_refusals(400, 402, 409, 413, 415, 422, 429, 502)},
    }


def _read() -> dict[str, Any]:
    most = {"type": "integer", "minimum": 1, "maximum": shapes.MOST_SHOWN, "default": 100}
    return {
        "operationId": "read",
        "summary": "Read a chat",
        "description": "The newest messages, or those before a stored index. Reading does not renew the time to live.",
        "parameters": [
            SESSION,
            {"name": "limit", "in": "query", "schema": most},
            {"name": "before", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 10**9}},
        ],
        "responses": {"200": _answer("the chat", "Chat"), **_refusals(404, 409, 422)},
    }


def _clear() -> dict[str, Any]:
    return {
        "operationId": "clear",
        "summary": "Clear a chat",
        "description": "Deletes its messages and the records of its turns. A reply that is being written is dropped.",
        "parameters": [SESSION],
        "responses": {"200": _answer("it is cleared", "Cleared"), **_refusals(404, 409, 422)},
    }


def _health() -> dict[str, Any]:
    return {
        "operationId": "health",
        "summary": "Whether the app and its store answer",
        "security": [{}],
        "responses": {"200": _answer("they do", "Health"), **_refusals()},
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": REF.format(name=name)}


def _answer(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}


def _refusals(*statuses: int) -> dict[str, Any]:
    """The responses for these statuses, and for those that every address may answer with."""
    answers = {}
    for status in sorted({*statuses, *ALWAYS}):
        answers[str(status)] = answer = _answer(REFUSALS[status], "Error")
        if status in WAITING:
            seconds = {"type": "integer", "minimum": 1}
            what = "seconds until it is worth asking again"
            answer["headers"] = {"Retry-After": {"description": what, "schema": seconds}}
    return answers
