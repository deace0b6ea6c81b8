"""Claude's message threads: the server holds the conversation in memory under the id of its last reply.

The one rule: our own copy is the truth, since a thread is gone five minutes after its last use. When the server says that it
lost the thread, the whole copy goes out again, and the turn says so (`replayed`); what a thread cannot hold is an error, never
a silent switch to sending everything. There is no call to delete or to list.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lib.messages import Message, utf8_safe
from lib.providers import TextDelta
from lib.providers.anthropic import ANTHROPIC, usage_of
from lib.providers.http_client import usable_key
from lib.providers.sdk_errors import translated, unfinished
from lib.providers.wire_format import utf8_safe_value
from lib.server_history import Deletion, Facts, Handle, ReplyStatus, ServerTurn, ThreadSettings
from lib.server_history.client import NO_SUCH_ADDRESS
from lib.server_history.http_meter import MeteredTurn, metered_client
from lib.server_history.reference import CLAUDE
from lib.server_history.sdk_values import count_of, exchange, field, prompt_of
from lib.settings import Endpoint

if TYPE_CHECKING:
    from anthropic import Anthropic

BETA = "message-threads-2026-08-12"
REPLAY_CODES = ("thread_not_found", "thread_already_continued", "thread_continue_in_flight")
"""Refusals after which the whole conversation is sent again as a new thread, as Anthropic's own helper does."""
ENDS: dict[str, ReplyStatus] = {
    "max_tokens": "incomplete",
    "model_context_window_exceeded": "incomplete",
    "refusal": "failed",
}
COUNTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


class ClaudeHistory:
    """A ServerHistory over `thread` in Messages."""

    def __init__(self, endpoint: Endpoint, key: str | None, settings: ThreadSettings | None = None) -> None:
        self.settings = settings or ThreadSettings()
        self._endpoint = endpoint
        self._key = key

    @property
    def facts(self) -> Facts:
        """What to know about this approach."""
        return CLAUDE

    def create(self, system_prompt: str) -> Handle:
        """Nothing is sent: a thread begins with its first turn."""
        return Handle("claude", self._endpoint.model, system_prompt)

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn. A refused one is not kept, and the turn after it sends everything again."""
        measured = MeteredTurn()
        end: dict[str, Any] = {"usage": {}}
        previous = handle.last("message")
        with self._failures():
            stream, replayed = self._open(handle, text, previous, measured)
            with stream:
                for event in stream:
                    if piece := _note(event, end):
                        yield measured.text(piece)
            if not end.get("finished"):
                raise unfinished(self._endpoint.label, begun="id" in end)
        stop = str(end.get("stop_reason"))
        status = ENDS.get(stop, "complete")
        if replayed:
            measured.notes.append("The server did not have the conversation any more; all of it was sent again.")
        yield measured.turn(
            self._after(handle, text, "".join(measured.pieces), end, status),
            usage_of(end["usage"]),
            (("message", str(end.get("id"))),),
            status=status,
            reason=None if status == "complete" else stop,
            replayed=replayed,
        )

    def export(self, handle: Handle) -> list[Message]:
        """Our own copy: a thread cannot be read."""
        return [*prompt_of(handle.system_prompt), *handle.copy]

    def delete(self, handle: Handle) -> Deletion:
        """Nothing can be deleted, and it is said so."""
        return Deletion(
            (),
            "There is no call that deletes a message thread. Anthropic says it is held in memory only, is not found"
            " five minutes after its last use, and is deleted within an hour. None of that can be checked from here.",
        )

    def count(self, handle: Handle, text: str) -> int | None:
        """By `/v1/messages/count_tokens` on our own copy: it takes no thread."""
        with self._failures():
            import anthropic

            wanted: dict[str, Any] = {
                **_system(handle),
                "model": handle.model,
                "messages": [*_turns(handle.copy), _said(text)],
            }
            try:
                return count_of(field(self._client(MeteredTurn()).messages.count_tokens(**wanted), "input_tokens"))
            except anthropic.APIStatusError as exc:
                if exc.status_code in NO_SUCH_ADDRESS:
                    return None
                raise

    def body(self, handle: Handle, text: str, previous: str | None) -> dict[str, Any]:
        """What is asked: only what is new where a thread is continued, else the system prompt and all of our copy."""
        asked: dict[str, Any] = {"model": handle.model, "max_tokens": self.settings.max_output_tokens}
        if previous is not None:
            thread = {"type": "continue", "previous_message_id": previous}
            return {**asked, "messages": [_said(text)], "thread": thread}
        messages = [*_turns(handle.copy), _said(text)]
        return {**asked, **_system(handle), "messages": messages, "thread": {"type": "create"}}

    def _open(self, handle: Handle, text: str, previous: str | None, measured: MeteredTurn) -> tuple[Any, bool]:
        """The stream of a turn, and whether all of our copy went out with it: where the server lost the thread."""
        create = self._client(measured).beta.messages.create
        import anthropic

        try:
            stream = create(**self.body(handle, text, previous), betas=[BETA], stream=True)
            return stream, previous is None and bool(handle.copy)
        except anthropic.APIStatusError as exc:
            if previous is None or field(exc.body, "error", "details", "error_code") not in REPLAY_CODES:
                raise
        return create(**self.body(handle, text, None), betas=[BETA], stream=True), True

    def _after(self, handle: Handle, text: str, reply: str, end: dict[str, Any], status: ReplyStatus) -> Handle:
        """Where the next turn goes on. After a refusal, or a reply by another model than asked, the server holds no thread
        that can be continued."""
        if status == "failed":
            return replace(handle, ids=())
        said = exchange(text, reply)
        if end.get("not_stored"):
            return replace(handle, ids=()).plus(said=said)
        return replace(handle, ids=(("message", str(end.get("id"))),)).plus(said=said)

    def _client(self, measured: MeteredTurn) -> Anthropic:
        key = usable_key(self._endpoint, self._key)
        import anthropic

        url = self._endpoint.base_url or ANTHROPIC
        return anthropic.Anthropic(
            api_key=key, base_url=url, http_client=metered_client(url, measured.wires), max_retries=0
        )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        with translated(self._endpoint.label, self._key):
            yield


def _system(handle: Handle) -> dict[str, str]:
    return {"system": utf8_safe(handle.system_prompt)} if handle.system_prompt else {}


def _said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": utf8_safe(text)}


def _turns(copy: tuple[Message, ...]) -> list[dict[str, Any]]:
    return [{"role": message.role, "content": utf8_safe_value(message.content)} for message in copy]


def _note(event: Any, end: dict[str, Any]) -> str:
    """Keep what an event says about the beginning and the end; its text."""
    kind = field(event, "type")
    if kind == "message_start":
        end["id"] = field(event, "message", "id")
        end["usage"] |= _reported(field(event, "message", "usage"))
    elif kind == "message_delta":
        usage = field(event, "usage")
        end["usage"] |= _reported(usage)
        end["stop_reason"] = field(event, "delta", "stop_reason")
        kinds = [field(step, "type") for step in field(usage, "iterations") or []]
        end["not_stored"] = "fallback_message" in kinds
    elif kind == "message_stop":
        end["finished"] = True
    elif kind == "content_block_delta" and field(event, "delta", "type") == "text_delta":
        return str(field(event, "delta", "text") or "")
    return ""


def _reported(usage: Any) -> dict[str, int]:
    """The numbers it says. A turn that read nothing at all is not a report."""
    numbers = {name: number for name in COUNTS if (number := count_of(field(usage, name))) is not None}
    thought = count_of(field(usage, "output_tokens_details", "thinking_tokens"))
    if thought is not None:
        numbers["thinking_tokens"] = thought
    read = sum(numbers.get(name, 0) for name in COUNTS[:3])
    return numbers if read else {name: number for name, number in numbers.items() if name not in COUNTS[:3]}
