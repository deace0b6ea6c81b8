"""Claude's message threads: the server holds the conversation in memory under the id of its last reply.

A thread is gone five minutes after its last use, so our own copy is authoritative. If the server says that it lost the
thread, the whole copy is sent again and the turn is marked `replayed`. A request that a thread cannot hold is an error;
it is never silently sent without a thread. No call deletes or lists threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lib.messages import utf8_safe
from lib.providers import TextDelta
from lib.providers.anthropic import ANTHROPIC, usage_of
from lib.providers.http_client import usable_key
from lib.providers.sdk_errors import translated, unfinished
from lib.providers.wire_format import utf8_safe_value
from lib.server_history import Deletion, Handle, ReplyStatus, ServerTurn, ThreadSettings
from lib.server_history.adapters.base import Adapter
from lib.server_history.client import UNSUPPORTED_STATUSES
from lib.server_history.http_meter import MeteredTurn, metered_client
from lib.server_history.sdk_values import count_of, exchange, field
from lib.settings import Endpoint

if TYPE_CHECKING:
    from anthropic import Anthropic

BETA = "message-threads-2026-08-12"
REPLAY_CODES = ("thread_not_found", "thread_already_continued", "thread_continue_in_flight")
"""Error codes after which the whole conversation is sent again as a new thread, as Anthropic's own helper does."""
STATUSES: dict[str, ReplyStatus] = {
    "max_tokens": "incomplete",
    "model_context_window_exceeded": "incomplete",
    "refusal": "failed",
}
"""What a stop reason means for the turn; any other one completes it."""
INPUT_COUNTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
COUNTS = (*INPUT_COUNTS, "output_tokens")


class ClaudeHistory(Adapter):
    """A ServerHistory over `thread` in Messages."""

    approach = "claude"

    def __init__(self, endpoint: Endpoint, key: str | None, settings: ThreadSettings | None = None) -> None:
        super().__init__(endpoint.model, settings)
        self._endpoint = endpoint
        self._key = key

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn. A refused turn is not kept, and the next one sends everything again."""
        metered = MeteredTurn()
        end: dict[str, Any] = {"usage": {}}
        with translated(self._endpoint.label, self._key):
            stream, replayed = self._open_stream(handle, text, metered)
            with stream:
                for event in stream:
                    if piece := _read_event(event, end):
                        yield metered.text(piece)
            if not end.get("finished"):
                raise unfinished(self._endpoint.label, begun="id" in end)
        stop_reason = str(end.get("stop_reason"))
        status = STATUSES.get(stop_reason, "complete")
        if replayed:
            metered.notes.append("The server no longer had the conversation; all of it was sent again.")
        yield metered.turn(
            _handle_after(handle, text, "".join(metered.pieces), end, status),
            usage_of(end["usage"]),
            (("message", str(end.get("id"))),),
            status=status,
            reason=None if status == "complete" else stop_reason,
            replayed=replayed,
        )

    def delete(self, handle: Handle) -> Deletion:
        """Nothing can be deleted; the sentence says so."""
        return Deletion(
            (),
            "No call deletes a message thread. Anthropic says that a thread is held in memory only, is not found five"
            " minutes after its last use, and is deleted within an hour. None of that can be checked from here.",
        )

    def count(self, handle: Handle, text: str) -> int | None:
        """By `/v1/messages/count_tokens`, on our own copy: that endpoint takes no thread."""
        with translated(self._endpoint.label, self._key):
            import anthropic

            request: dict[str, Any] = {**_system(handle), "model": handle.model, "messages": _messages(handle, text)}
            try:
                counted = self._client(MeteredTurn()).messages.count_tokens(**request)
            except anthropic.APIStatusError as exc:
                if exc.status_code in UNSUPPORTED_STATUSES:
                    return None
                raise
            return count_of(field(counted, "input_tokens"))

    def _request(self, handle: Handle, text: str, previous: str | None) -> dict[str, Any]:
        """The request: the new message alone if it continues a thread, else the system prompt and our whole copy."""
        request: dict[str, Any] = {"model": handle.model, "max_tokens": self.settings.max_output_tokens}
        if previous is not None:
            thread = {"type": "continue", "previous_message_id": previous}
            return {**request, "messages": [_user_message(text)], "thread": thread}
        return {**request, **_system(handle), "messages": _messages(handle, text), "thread": {"type": "create"}}

    def _open_stream(self, handle: Handle, text: str, metered: MeteredTurn) -> tuple[Any, bool]:
        """The stream of a turn, and whether our whole copy was sent because the server no longer has the thread."""
        create = self._client(metered).beta.messages.create
        import anthropic

        previous = handle.last("message")
        try:
            stream = create(**self._request(handle, text, previous), betas=[BETA], stream=True)
            return stream, previous is None and bool(handle.own_copy)
        except anthropic.APIStatusError as exc:
            if previous is None or field(exc.body, "error", "details", "error_code") not in REPLAY_CODES:
                raise
        return create(**self._request(handle, text, None), betas=[BETA], stream=True), True

    def _client(self, metered: MeteredTurn) -> Anthropic:
        key = usable_key(self._endpoint, self._key)
        import anthropic

        url = self._endpoint.base_url or ANTHROPIC
        http_client = metered_client(url, metered.wires)
        return anthropic.Anthropic(api_key=key, base_url=url, http_client=http_client, max_retries=0)


def _handle_after(handle: Handle, text: str, reply: str, end: dict[str, Any], status: ReplyStatus) -> Handle:
    """The handle for the next turn. After a refusal, or a reply by another model than requested, the server holds no
    thread that can be continued."""
    if status == "failed":
        return replace(handle, ids=())
    ids = () if end.get("answered_by_fallback") else (("message", str(end.get("id"))),)
    return replace(handle, ids=ids).plus(messages=exchange(text, reply))


def _system(handle: Handle) -> dict[str, str]:
    return {"system": utf8_safe(handle.system_prompt)} if handle.system_prompt else {}


def _user_message(text: str) -> dict[str, Any]:
    return {"role": "user", "content": utf8_safe(text)}


def _messages(handle: Handle, text: str) -> list[dict[str, Any]]:
    """Our own copy and the new message, as the API takes them."""
    own_copy = [{"role": message.role, "content": utf8_safe_value(message.content)} for message in handle.own_copy]
    return [*own_copy, _user_message(text)]


def _read_event(event: Any, end: dict[str, Any]) -> str:
    """Read what an event says about the beginning and the end into `end`; returns its text."""
    kind = field(event, "type")
    if kind == "message_start":
        end["id"] = field(event, "message", "id")
        end["usage"] |= _reported(field(event, "message", "usage"))
    elif kind == "message_delta":
        usage = field(event, "usage")
        end["usage"] |= _reported(usage)
        end["stop_reason"] = field(event, "delta", "stop_reason")
        steps = [field(step, "type") for step in field(usage, "iterations") or []]
        end["answered_by_fallback"] = "fallback_message" in steps
    elif kind == "message_stop":
        end["finished"] = True
    elif kind == "content_block_delta" and field(event, "delta", "type") == "text_delta":
        return str(field(event, "delta", "text") or "")
    return ""


def _reported(usage: Any) -> dict[str, int]:
    """The counts in a usage object. Input counts that add up to zero are no report, since every turn reads
    something."""
    counts = {name: count for name in COUNTS if (count := count_of(field(usage, name))) is not None}
    thinking = count_of(field(usage, "output_tokens_details", "thinking_tokens"))
    if thinking is not None:
        counts["thinking_tokens"] = thinking
    if not sum(counts.get(name, 0) for name in INPUT_COUNTS):
        counts = {name: count for name, count in counts.items() if name not in INPUT_COUNTS}
    return counts
