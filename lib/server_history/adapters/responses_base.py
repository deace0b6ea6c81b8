"""One turn through OpenAI's Responses: what a chain of responses and a conversation have in common.

A turn ends when the server says how it ended; its text is the text that streamed. If the server echoes a setting
differently from the request, the turn notes it, because echoed settings are not always obeyed.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.messages import Usage, utf8_safe
from lib.providers import TextDelta
from lib.providers.sdk_errors import unfinished
from lib.server_history import Handle, Ids, ReplyStatus, ThreadSettings
from lib.server_history.adapters.base import Adapter
from lib.server_history.client import UNSUPPORTED_STATUSES, OpenAIServer, is_not_found, is_stream
from lib.server_history.http_meter import MeteredTurn
from lib.server_history.sdk_values import count_of, field, responses_usage, text_of
from lib.settings import Endpoint

DELTA_EVENTS = ("response.output_text.delta", "response.refusal.delta")
STATUSES: dict[str, ReplyStatus] = {
    "completed": "complete",
    "incomplete": "incomplete",
    "failed": "failed",
    "cancelled": "failed",
}
PAGE_SIZE = 100
"""Items per page; the most that OpenAI gives."""
UNREPORTED = Usage()


@dataclass(slots=True)
class ResponseEnd:
    """What the events of a stream said about the response. `ended` is False until its last event."""

    ended: bool = False
    id: str | None = None
    status: ReplyStatus = "failed"
    reason: str | None = None
    usage: Usage = UNREPORTED
    text: str = ""
    response: Any = None

    @property
    def ids(self) -> Ids:
        """The id of this response for a handle; none if the server gave no id."""
        return (("response", self.id),) if self.id else ()


class ResponsesAdapter(Adapter):
    """Base of both approaches that send to `/responses`. `link` below names the history: a previous response or a
    conversation."""

    def __init__(self, endpoint: Endpoint, key: str | None, settings: ThreadSettings | None = None) -> None:
        super().__init__(endpoint.model, settings)
        self._server = OpenAIServer(endpoint, key)

    def _request(self, handle: Handle, text: str, link: Mapping[str, str]) -> dict[str, Any]:
        """The fields that a turn and its count share. Servers do not carry instructions over, so every turn sends
        them."""
        request: dict[str, Any] = {"model": handle.model, "input": utf8_safe(text), **link}
        if handle.system_prompt:
            request["instructions"] = utf8_safe(handle.system_prompt)
        if self.settings.truncation is not None:
            request["truncation"] = self.settings.truncation
        return request

    def _stream(
        self, handle: Handle, text: str, link: Mapping[str, str], looking_for: str, metered: MeteredTurn
    ) -> Generator[TextDelta, None, ResponseEnd]:
        """Stream one reply, and return how it ended. `looking_for` names the history in errors; empty if there is
        none."""
        request, end = self._request(handle, text, link), ResponseEnd()
        with self._server.errors_translated(looking_for=looking_for, protocol="" if looking_for else "Responses"):
            stream = self._server.client(metered).responses.create(
                **request, store=self.settings.store, max_output_tokens=self.settings.max_output_tokens, stream=True
            )
            with stream:
                for event in stream if is_stream(stream) else [_as_event(stream, metered)]:
                    if field(event, "type") in DELTA_EVENTS:
                        yield metered.text(str(field(event, "delta") or ""))
                    elif field(event, "type") == "error":
                        raise _sdk_error(event, stream.response.request)
                    else:
                        _read_event(event, end)
            if not end.ended:
                raise unfinished(self._server.label, begun=end.id is not None)
        if end.text and not metered.pieces:
            yield metered.text(end.text)
        metered.notes += _differences(request, end.response)
        return end

    def _count(self, handle: Handle, text: str, link: Mapping[str, str], looking_for: str) -> int | None:
        """Input tokens by the server's counting endpoint; None if it has none."""
        with self._server.errors_translated():
            client = self._server.client()
            import openai

            try:
                counted = client.responses.input_tokens.count(**self._request(handle, text, link))
            except openai.APIStatusError as exc:
                about_history = any(id_ in str(exc.body) for id_ in link.values())
                lost = about_history and is_not_found(exc.status_code, exc.body)
                if exc.status_code in UNSUPPORTED_STATUSES and not lost:
                    return None
                with self._server.errors_translated(looking_for=looking_for):
                    raise
        return count_of(field(counted, "input_tokens")) or None


def _read_event(event: Any, end: ResponseEnd) -> None:
    """Read the response inside an event into `end`."""
    response, kind = field(event, "response"), str(field(event, "type") or "")
    if response is None:
        return
    end.id = str(field(response, "id") or "") or end.id
    status = STATUSES.get(kind.removeprefix("response."))
    if status is not None:
        end.ended, end.status, end.reason, end.response = True, status, _reason(response, kind), response
        end.usage = responses_usage(field(response, "usage"))
        end.text = "".join(text_of(field(item, "content")) for item in field(response, "output") or [])


def _sdk_error(event: Any, request: Any) -> Exception:
    """An error event as the SDK's own exception, so that it is translated like any other."""
    import openai

    error = {"code": field(event, "code"), "message": field(event, "message") or "an error without a message"}
    return openai.APIError(str(error["message"]), request=request, body=error)


def _as_event(stream: Any, metered: MeteredTurn) -> dict[str, Any]:
    """The response of a server that does not stream, as the last event of a stream."""
    metered.notes.append("The server was asked to stream and answered in one piece.")
    response = json.loads(stream.response.read())
    return {"type": f"response.{field(response, 'status')}", "response": response}


def _reason(response: Any, kind: str) -> str | None:
    """Why the response is not complete, in the server's words; None if it is."""
    if kind == "response.completed":
        return None
    error = field(response, "error")
    words = [str(word) for word in (field(error, "code"), field(error, "message")) if word]
    return ": ".join(words) or field(response, "incomplete_details", "reason") or kind.removeprefix("response.")


def _differences(request: Mapping[str, Any], response: Any) -> list[str]:
    """A sentence for each setting that the server echoed differently."""
    echoed = {
        "previous_response_id": field(response, "previous_response_id"),
        "conversation": field(response, "conversation", "id") or field(response, "conversation"),
        "truncation": field(response, "truncation"),
    }
    return [
        f"The server was asked for {name} {request[name]}, and its answer says {value or 'nothing'}."
        for name, value in echoed.items()
        if name in request and value != request[name]
    ]
