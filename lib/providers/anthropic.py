"""Messages: Anthropic, and servers that speak its protocol.

The rule: as in lib/providers/openai.py, `body` is the whole request, byte for byte. The system prompt travels outside the
list, and prompt caching is on: every request of a growing conversation begins like the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lib.errors import ContentRefused, MissingKey
from lib.messages import Usage
from lib.providers import ChatRequest, Reply, TextDelta, body_bytes, sendable
from lib.providers.openai import CONNECT_SECONDS, READ_SECONDS, sendable_value
from lib.providers.translating import translated
from lib.settings import Endpoint

if TYPE_CHECKING:
    from anthropic import Anthropic

STOP_REASONS = {"end_turn": "end", "stop_sequence": "end", "max_tokens": "length", "refusal": "refused"}


class AnthropicProvider:
    """A Provider for one endpoint and one key."""

    def __init__(self, endpoint: Endpoint, key: str | None) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._key = key

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The JSON body of the request."""
        instructions = "\n\n".join(sendable(message.text) for message in request.messages if message.is_system)
        messages = [
            {"role": message.role, "content": sendable_value(message.content)}
            for message in request.messages
            if not message.is_system
        ]
        return {
            "model": request.model,
            "max_tokens": request.max_output_tokens,
            **({"system": instructions} if instructions else {}),
            "messages": messages,
            "cache_control": {"type": "ephemeral"},  # marks the last cacheable block, request by request
            "stream": True,
        }

    def stream(self, request: ChatRequest) -> Iterator[TextDelta | Reply]:
        """Send it; text as it comes, then one Reply."""
        with translated(self._endpoint.label, self._key):
            client = self._client()
            from anthropic import Stream
            from anthropic.types import Message, RawMessageStreamEvent

            pieces: list[str] = []
            end: dict[str, Any] = {}
            with client.post(
                "/v1/messages",
                cast_to=Message,
                content=body_bytes(self.body(request)),
                options={"headers": {"Content-Type": "application/json"}},
                stream=True,
                stream_cls=Stream[RawMessageStreamEvent],
            ) as events:
                request_id = events.response.headers.get("request-id")
                for event in events:
                    if text := _note(event, end):
                        pieces.append(text)
                        yield TextDelta(text)
        if end.get("stop_reason") == "refused" and not pieces:
            raise ContentRefused(f"{self._endpoint.label} refused to answer this.")
        yield Reply(
            "".join(pieces),
            Usage(**{name: end.get(name) for name in Usage.__slots__}),
            end.get("model") or request.model,
            end.get("stop_reason"),
            request_id or end.get("id"),
        )

    def models(self) -> list[str]:
        """The names the server lists."""
        with translated(self._endpoint.label, self._key):
            return [model.id for model in self._client().models.list()]

    def count(self, request: ChatRequest) -> int | None:
        """Tokens by the counting endpoint. It is free, and Anthropic calls its answer an estimate."""
        with translated(self._endpoint.label, self._key):
            body = self.body(request)
            counted = self._client().messages.count_tokens(
                model=body["model"],
                messages=body["messages"],
                **({"system": body["system"]} if "system" in body else {}),
            )
            return counted.input_tokens

    def _client(self) -> Anthropic:
        if self._endpoint.needs_key and not self._key:
            raise MissingKey(f"No API key is known for {self._endpoint.label}.")
        import anthropic
        import httpx2

        return anthropic.Anthropic(
            api_key=self._key or "not-needed",
            base_url=self._endpoint.base_url or "https://api.anthropic.com",
            timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            max_retries=0,  # the person decides; a retry behind their back may pay twice
        )


def usage_of(reported: Any) -> dict[str, int | None]:
    """Anthropic's usage: its input tokens exclude what was read from or written to the cache, ours include it."""
    read, cached, written = (
        getattr(reported, name, None)
        for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    total = None if read is None else read + (cached or 0) + (written or 0)
    return {
        "input_tokens": total,
        "cached_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": getattr(reported, "output_tokens", None),
    }


def _note(event: Any, end: dict[str, Any]) -> str:
    """Keep what an event says about the beginning and the end; its text."""
    if event.type == "message_start":
        end |= {"id": event.message.id, "model": event.message.model, **usage_of(event.message.usage)}
    elif event.type == "message_delta":
        # the closing figures are cumulative, and may leave out what the opening ones said
        end |= {name: value for name, value in usage_of(event.usage).items() if value is not None}
        end["stop_reason"] = STOP_REASONS.get(event.delta.stop_reason, event.delta.stop_reason)
    elif event.type == "content_block_delta" and event.delta.type == "text_delta":
        return str(event.delta.text)
    return ""
