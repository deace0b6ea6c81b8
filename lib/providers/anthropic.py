"""The Messages provider: Anthropic, and servers that speak its protocol.

The system prompt goes outside the list of messages. Prompt caching is on, because every request of a growing
conversation begins like the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lib.errors import ContentRefused
from lib.messages import Usage, utf8_safe
from lib.providers import ChatRequest, Reply, SentBody, TextDelta
from lib.providers.export import Address
from lib.providers.http_client import shared_client, usable_key
from lib.providers.sdk_errors import model_names, not_an_answer, translated, unfinished
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
        }
        return SentBody.of(request, body)

    def address(self) -> Address:
        """The messages address of this endpoint."""
        url = (self._endpoint.base_url or ANTHROPIC).rstrip("/")
        return Address(f"{url}/v1/messages", "x-api-key: ", "ANTHROPIC_API_KEY", ("anthropic-version: 2023-06-01",))

    def stream(self, sent: SentBody) -> Iterator[TextDelta | Reply]:
        """Send the bytes; yield text as it arrives, then one Reply."""
        with translated(self._endpoint.label, self._key):
            client = self._client()
            from anthropic import Stream
            from anthropic.types import Message, RawMessageStreamEvent

            pieces: list[str] = []
            end: dict[str, Any] = {"usage": {}}
            with client.post(
                "/v1/messages",
                cast_to=Message,
                content=sent.data,  # sent as they are: see lib/providers/openai.py
                options={"headers": {"Content-Type": "application/json"}},
                stream=True,
                stream_cls=Stream[RawMessageStreamEvent],
            ) as events:
                request_id = events.response.headers.get("request-id")
                for event in events:
                    if text := _read(event, end):
                        pieces.append(text)
                        yield TextDelta(text)
            if not end.get("finished"):
                raise unfinished(self._endpoint.label, begun="id" in end)
        if end.get("stop_reason") == "refused" and not pieces:
            raise ContentRefused(f"{self._endpoint.label} refused to answer this.")
        yield Reply(
            "".join(pieces),
            usage_of(end["usage"]),
            end.get("model") or sent.request.model,
            end.get("stop_reason"),
            request_id or end.get("id"),
        )

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
            tokens = getattr(answer, "input_tokens", None)  # the SDK does not check answers
            if not isinstance(tokens, int):
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


def _reported(usage: Any) -> dict[str, int]:
    """The numbers in a usage object, by name, without those it omits or sets to null."""
    details = getattr(usage, "output_tokens_details", None)
    numbers = {name: getattr(usage, name, None) for name in USAGE_FIELDS}
    numbers["thinking_tokens"] = getattr(details, "thinking_tokens", None)
    numbers["hidden_tokens"] = _hidden_tokens(getattr(usage, "iterations", None))
    return {name: number for name, number in numbers.items() if number is not None}


def _hidden_tokens(iterations: Any) -> int | None:
    """Tokens of the steps that the usage of the whole reply omits; None if the usage lists no steps."""
    if not isinstance(iterations, list):
        return None
    # only the SDK's beta part has a type for steps
    steps = [step if isinstance(step, Mapping) else vars(step) for step in iterations]
    return sum(step.get(name) or 0 for step in steps if step.get("type") in BILLED_SEPARATELY for name in USAGE_FIELDS)


def _read(event: Any, end: dict[str, Any]) -> str:
    """Add what an event says about the reply as a whole to `end`; return its text."""
    if event.type == "message_start":
        end |= {"id": event.message.id, "model": event.message.model}
        end["usage"] |= _reported(event.message.usage)
    elif event.type == "message_delta":
        # the last figures are cumulative, and may omit some of the first ones
        end["usage"] |= _reported(event.usage)
        end["stop_reason"] = STOP_REASONS.get(event.delta.stop_reason, event.delta.stop_reason)
    elif event.type == "message_stop":
        end["finished"] = True
    elif event.type == "content_block_delta" and event.delta.type == "text_delta":
        return str(event.delta.text)
    return ""
