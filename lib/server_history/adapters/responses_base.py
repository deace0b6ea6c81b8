"""One turn through Responses: what a chain and a conversation have in common.

The one rule: a turn ends when the server says how it ended, and its text is what it streamed. What the server echoes
differently from what it was asked is noted, because settings that are echoed are not always obeyed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lib.messages import Message, Usage, utf8_safe
from lib.providers import TextDelta
from lib.providers.sdk_errors import unfinished
from lib.server_history import Handle, ReplyStatus, ThreadSettings
from lib.server_history.client import NO_SUCH_ADDRESS, OpenAIServer, is_gone, is_stream
from lib.server_history.http_meter import MeteredTurn
from lib.server_history.sdk_values import count_of, field, message_of, responses_usage, text_of
from lib.settings import Endpoint

DELTAS = ("response.output_text.delta", "response.refusal.delta")
ENDS: dict[str, ReplyStatus] = {
    "completed": "complete",
    "incomplete": "incomplete",
    "failed": "failed",
    "cancelled": "failed",
}
PAGE = 100
"""Items per page; the most that OpenAI gives."""


class Responding:
    """The part of both approaches that talks to `/responses`."""

    def __init__(self, endpoint: Endpoint, key: str | None, settings: ThreadSettings | None = None) -> None:
        self.settings = settings or ThreadSettings()
        self._server = OpenAIServer(endpoint, key)

    def _asked(self, handle: Handle, text: str, link: Mapping[str, str]) -> dict[str, Any]:
        """What both a turn and its count are made of. Instructions are not carried over by a chain: they go out again."""
        asked: dict[str, Any] = {"model": handle.model, "input": utf8_safe(text), **link}
        if handle.system_prompt:
            asked["instructions"] = utf8_safe(handle.system_prompt)
        if self.settings.truncation is not None:
            asked["truncation"] = self.settings.truncation
        return asked

    def _respond(
        self, handle: Handle, text: str, link: Mapping[str, str], lost: str, measured: MeteredTurn, end: dict[str, Any]
    ) -> Iterator[TextDelta]:
        """Stream one reply; `end` receives id, status, reason and usage."""
        asked = self._asked(handle, text, link)
        with self._server.failures(lost=lost, unspoken="" if lost else "Responses"):
            stream = self._server.client(measured).responses.create(
                **asked, store=self.settings.store, max_output_tokens=self.settings.max_output_tokens, stream=True
            )
            with stream:
                for event in stream if is_stream(stream) else [_whole(stream, measured)]:
                    if field(event, "type") in DELTAS:
                        yield measured.text(str(field(event, "delta") or ""))
                    elif field(event, "type") == "error":
                        raise _failure(event, stream.response.request)
                    else:
                        _note(event, end)
            if "status" not in end:
                raise unfinished(self._server.label, begun="id" in end)
        if end["text"] and not measured.pieces:
            yield measured.text(end["text"])
        _compare(asked, end, measured)

    def _counted(self, handle: Handle, text: str, link: Mapping[str, str], lost: str) -> int | None:
        """Input tokens by the server's counting endpoint; None where it has none."""
        with self._server.failures():
            client = self._server.client(MeteredTurn())
            import openai

            try:
                counted = client.responses.input_tokens.count(**self._asked(handle, text, link))
            except openai.APIStatusError as exc:
                names_it = any(id_ in str(exc.body) for id_ in link.values())
                if exc.status_code in NO_SUCH_ADDRESS and not (names_it and is_gone(exc.status_code, exc.body)):
                    return None
                with self._server.failures(lost=lost):
                    raise
        return count_of(field(counted, "input_tokens")) or None


def said(items: Iterator[Any]) -> list[Message]:
    """The messages among items."""
    return [message for item in items if (message := message_of(item)) is not None]


def usage_in(end: Mapping[str, Any]) -> Usage:
    """The usage at the end of a turn."""
    usage: Usage = end["usage"]
    return usage


def _note(event: Any, end: dict[str, Any]) -> None:
    """Keep what an event says about the beginning and the end."""
    response, kind = field(event, "response"), str(field(event, "type") or "")
    if response is None:
        return
    end["id"] = field(response, "id") or end.get("id")
    status = ENDS.get(kind.removeprefix("response."))
    if status is not None:
        end |= {"status": status, "reason": _reason(response, kind), "response": response}
        end["usage"] = responses_usage(field(response, "usage"))
        end["text"] = "".join(text_of(field(item, "content")) for item in field(response, "output") or [])


def _failure(event: Any, request: Any) -> Exception:
    """An error event as the SDK's own exception, so that it is translated like any other failure."""
    import openai

    said = {"code": field(event, "code"), "message": field(event, "message") or "an error without words"}
    return openai.APIError(str(said["message"]), request=request, body=said)


def _whole(stream: Any, measured: MeteredTurn) -> dict[str, Any]:
    """The answer of a server that does not stream, as the last event of a stream."""
    measured.notes.append("The server was asked to stream and answered in one piece.")
    response = json.loads(stream.response.read())
    return {"type": f"response.{field(response, 'status')}", "response": response}


def _reason(response: Any, kind: str) -> str | None:
    """Why it is not complete, in the server's words."""
    if kind == "response.completed":
        return None
    error = field(response, "error")
    words = [str(word) for word in (field(error, "code"), field(error, "message")) if word]
    return ": ".join(words) or field(response, "incomplete_details", "reason") or kind.removeprefix("response.")


def _compare(asked: Mapping[str, Any], end: Mapping[str, Any], measured: MeteredTurn) -> None:
    """Note where the server's echo is not what it was asked."""
    response = end["response"]
    for name, found in (
        ("previous_response_id", field(response, "previous_response_id")),
        ("conversation", field(response, "conversation", "id") or field(response, "conversation")),
        ("truncation", field(response, "truncation")),
    ):
        if name in asked and found != asked[name]:
            measured.notes.append(
                f"The server was asked for {name} {asked[name]}, and its answer says {found or 'nothing'}."
            )
