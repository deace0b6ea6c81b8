"""The Messages provider: Anthropic, and servers that speak its protocol.

The system prompt goes outside the list of messages. Prompt caching is on, because every request of a growing
conversation begins like the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lib import outside_values
from lib.errors import ContentRefused
from lib.messages import Usage, utf8_safe
from lib.providers import ChatRequest, SentBody, StreamEvent
from lib.providers.boundary import ReplyReader, events_of, part
from lib.providers.export import Address
from lib.providers.generation_fields import ANTHROPIC_VERSION, diagnostics_field, messages_fields, messages_unsent
from lib.providers.http_client import shared_client, usable_key
from lib.providers.sdk_errors import model_names, not_an_answer, translated
from lib.providers.wire_format import utf8_safe_value
from lib.request_rules import RuleProvider
from lib.settings import Endpoint
from lib.tokens import TokenCounter

if TYPE_CHECKING:
    from anthropic import Anthropic

ANTHROPIC = "https://api.anthropic.com"
USAGE_FIELDS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
BILLED_SEPARATELY = ("compaction", "advisor_message")
"""Steps whose tokens are billed but not part of the usage of the whole reply."""
COUNTED_FIELDS = ("model", "messages", "system")
"""Fields of a request that the counting endpoint takes."""
STOP_REASONS = {"end_turn": "end", "stop_sequence": "end", "max_tokens": "length", "refusal": "refused"}


class AnthropicProvider:
    """A Provider for one endpoint and one key."""

    rules: RuleProvider | None = "anthropic"

    def __init__(self, endpoint: Endpoint, key: str | None) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._key = key

    def prepare(self, request: ChatRequest) -> SentBody:
        """The request as the bytes that go out."""
        instructions = "\n\n".join(utf8_safe(message.text) for message in request.messages if message.is_system)
        messages = [
            {"role": utf8_safe(message.role), "content": utf8_safe_value(message.content)}
            for message in request.messages
            if not message.is_system
        ]
        body = {
            "model": utf8_safe(request.model),
            "max_tokens": request.max_output_tokens,
            **({"system": instructions} if instructions else {}),
            "messages": messages,
            "cache_control": {"type": "ephemeral"},  # on the request, it marks the last block that can be cached
            "stream": True,
            **messages_fields(request.generation, self._endpoint.base_url),
            **diagnostics_field(request.cache_question),
        }
        unsent = tuple(
            name for name in messages_unsent(self._endpoint.base_url) if name in request.generation.to_dict()
        )
        return SentBody.of(request, body, unsent)

    def address(self) -> Address:
        """The messages address of this endpoint."""
        url = (self._endpoint.base_url or ANTHROPIC).rstrip("/")
        return Address(
            f"{url}/v1/messages", "x-api-key: ", "ANTHROPIC_API_KEY", (f"anthropic-version: {ANTHROPIC_VERSION}",)
        )

    def stream(self, sent: SentBody) -> Iterator[StreamEvent]:
        """Send the bytes; yield text as it arrives, then one Reply."""
        with translated(self._endpoint.label, self._key):
            client = self._client()
            from anthropic import Stream
            from anthropic.types import Message, RawMessageStreamEvent

            reader = ReplyReader(self._endpoint.label)
            counts: dict[str, int] = {}
            with client.post(
                "/v1/messages",
                cast_to=Message,
                content=sent.data,  # sent as they are: see lib/providers/openai.py
                options={"headers": {"Content-Type": "application/json"}},
                stream=True,
                stream_cls=Stream[RawMessageStreamEvent],
            ) as events:
                request_id = events.response.headers.get("request-id")
                for event in events_of(events, self._endpoint.label):
                    if thought := reader.reasoning(reasoning_in(event, reader)):
                        yield thought
                    if delta := reader.text(read_event(event, reader, counts)):
                        yield delta
                    if reader.full:
                        break
            reply = reader.reply(usage_of(counts), sent.request.model, request_id)
        if reply.stop_reason == "refused" and not reply.text:
            raise ContentRefused(f"{self._endpoint.label} refused to answer this.")
        yield reply

    def models(self) -> list[str]:
        """The model names the server lists."""
        label = self._endpoint.label
        with translated(label, self._key):
            client = self._client()
            import httpx2

            return model_names(client.get("/v1/models?limit=1000", cast_to=httpx2.Response).json(), label)

    def count(self, request: ChatRequest) -> int | None:
        """Tokens by the counting endpoint. It is free, and Anthropic calls its answer an estimate."""
        with translated(self._endpoint.label, self._key):
            body = self.prepare(request).body
            answer = self._client().messages.count_tokens(
                **{name: body[name] for name in COUNTED_FIELDS if name in body}
            )
            tokens = outside_values.count(part(answer, "input_tokens"))  # the SDK does not check answers
            if tokens is None:
                raise not_an_answer(self._endpoint.label)
            return tokens

    def counter(self) -> TokenCounter | None:
        """None: Anthropic counts whole requests only."""
        return None

    def _client(self) -> Anthropic:
        key = usable_key(self._endpoint, self._key)
        import anthropic

        url = self._endpoint.base_url or ANTHROPIC
        # no retries by the SDK: the person decides, and a hidden one may cost twice
        return anthropic.Anthropic(api_key=key, base_url=url, http_client=shared_client(url), max_retries=0)


def usage_of(reported: Mapping[str, int]) -> Usage:
    """Anthropic's usage as ours. Its input tokens exclude cache reads and cache writes; ours include them."""
    cached, written = reported.get("cache_read_input_tokens"), reported.get("cache_creation_input_tokens")
    uncached = reported.get("input_tokens")
    return Usage(
        input_tokens=None if uncached is None else uncached + (cached or 0) + (written or 0),
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=reported.get("output_tokens"),
        reasoning_tokens=reported.get("thinking_tokens"),
        hidden_tokens=reported.get("hidden_tokens"),
    )


def _reported(usage: Any, reader: ReplyReader) -> dict[str, int]:
    """The figures in a usage object, by name, without those it omits or sets to null."""
    counts = {name: reader.count(usage, name) for name in USAGE_FIELDS}
    counts["thinking_tokens"] = reader.count(part(usage, "output_tokens_details"), "thinking_tokens")
    counts["hidden_tokens"] = _hidden_tokens(part(usage, "iterations"), reader)
    return {name: count for name, count in counts.items() if count is not None}


def _hidden_tokens(iterations: Any, reader: ReplyReader) -> int | None:
    """Tokens of the steps that the usage of the whole reply omits; None if the usage lists no steps."""
    if not isinstance(iterations, list):
        return None
    steps = [step for step in iterations if part(step, "type") in BILLED_SEPARATELY]
    return sum(reader.count(step, name) or 0 for step in steps for name in USAGE_FIELDS)


def reasoning_in(event: Any, reader: ReplyReader) -> Any:
    """The reasoning in an event; None if there is none. Its blocks are set apart by an empty line.

    A model that hides its reasoning sends blocks with a signature and no text, or redacted ones.
    """
    kind = part(event, "type")
    if kind == "content_block_delta" and part(part(event, "delta"), "type") == "thinking_delta":
        return part(part(event, "delta"), "thinking")
    begins = kind == "content_block_start" and part(part(event, "content_block"), "type") == "thinking"
    return "\n\n" if begins and reader.has_reasoned else None


def read_event(event: Any, reader: ReplyReader, counts: dict[str, int]) -> Any:
    """Give what an event says about the reply as a whole to the reader and the counts; return its text."""
    kind = part(event, "type")
    if kind == "message_start":
        message = part(event, "message")
        reader.id = reader.told("id", part(message, "id"))
        reader.model = reader.told("model", part(message, "model"))
        reader.diagnosed(part(message, "diagnostics"))
        counts |= _reported(part(message, "usage"), reader)
    elif kind == "message_delta":
        # the last figures are cumulative, and may omit some of the first ones
        counts |= _reported(part(event, "usage"), reader)
        reason = reader.told("stop_reason", part(part(event, "delta"), "stop_reason"))
        reader.stop_reason = None if reason is None else STOP_REASONS.get(reason, reason)
    elif kind == "message_stop":
        reader.finished = True
    elif kind == "content_block_delta" and part(part(event, "delta"), "type") == "text_delta":
        return part(part(event, "delta"), "text")
    return None
