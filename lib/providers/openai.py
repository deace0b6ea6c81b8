"""Chat Completions: OpenAI, and every server that speaks its protocol (Ollama, vLLM, llama.cpp, gateways).

The rule: `body` is the whole request, byte for byte what goes out, and the SDK only carries it. Usage is taken as the server
reports it; what it does not report is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lib.errors import MissingKey
from lib.messages import Message, Usage
from lib.providers import ChatRequest, Reply, TextDelta, body_bytes, sendable
from lib.providers.translating import translated
from lib.settings import Endpoint

if TYPE_CHECKING:
    from openai import OpenAI

CONNECT_SECONDS = 5.0
READ_SECONDS = 300.0
"""A small machine may take minutes before the first word of a long request."""
ACCEPTED = ("name", "tool_calls", "tool_call_id", "refusal")
"""Fields beside role and content that the protocol knows; others in the stored message stay here."""
STOP_REASONS = {"stop": "end", "length": "length", "content_filter": "refused"}


class OpenAIProvider:
    """A Provider for one endpoint and one key. `extra_body` is added to every request."""

    def __init__(self, endpoint: Endpoint, key: str | None, extra_body: Mapping[str, Any] | None = None) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._key = key
        self._extra_body = dict(extra_body or {})

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The JSON body of the request."""
        # OpenAI's own models refuse max_tokens, other servers do not know max_completion_tokens
        limit = "max_tokens" if self._endpoint.base_url else "max_completion_tokens"
        return {
            "model": request.model,
            "messages": [wire_message(message) for message in request.messages],
            limit: request.max_output_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            **self._extra_body,
        }

    def stream(self, request: ChatRequest) -> Iterator[TextDelta | Reply]:
        """Send it; text as it comes, then one Reply."""
        with translated(self._endpoint.label, self._key):
            client = self._client()
            from openai import Stream
            from openai.types.chat import ChatCompletion, ChatCompletionChunk

            pieces: list[str] = []
            end: dict[str, Any] = {}
            with client.post(
                "/chat/completions",
                cast_to=ChatCompletion,
                content=body_bytes(self.body(request)),
                options={"headers": {"Content-Type": "application/json"}},
                stream=True,
                stream_cls=Stream[ChatCompletionChunk],
            ) as chunks:
                request_id = chunks.response.headers.get("x-request-id")
                for chunk in chunks:
                    if text := _note(chunk, end):
                        pieces.append(text)
                        yield TextDelta(text)
        yield Reply(
            "".join(pieces),
            end.get("usage", Usage()),
            end.get("model") or request.model,
            end.get("stop_reason"),
            request_id or end.get("id"),
        )

    def models(self) -> list[str]:
        """The names the server lists, sorted."""
        with translated(self._endpoint.label, self._key):
            return sorted(model.id for model in self._client().models.list())

    def count(self, request: ChatRequest) -> int | None:
        """None: the protocol has no counting endpoint of its own."""
        return None

    def _client(self) -> OpenAI:
        if self._endpoint.needs_key and not self._key:
            raise MissingKey(f"No API key is known for {self._endpoint.label}.")
        import httpx2
        import openai

        return openai.OpenAI(
            api_key=self._key or "not-needed",
            base_url=self._endpoint.base_url or "https://api.openai.com/v1",
            timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            max_retries=0,  # the person decides; a retry behind their back may pay twice
        )


def wire_message(message: Message) -> dict[str, Any]:
    """A message with only what the protocol knows, in text that UTF-8 can carry."""
    known = {name: value for name, value in message.extra.items() if name in ACCEPTED}
    wired: dict[str, Any] = sendable_value({"role": message.role, "content": message.content, **known})
    return wired


def sendable_value(value: Any) -> Any:
    """Lone surrogates replaced in every string, however deep."""
    if isinstance(value, str):
        return sendable(value)
    if isinstance(value, Mapping):
        return {sendable(str(name)): sendable_value(item) for name, item in value.items()}
    return [sendable_value(item) for item in value] if isinstance(value, list) else value


def usage_of(reported: Any) -> Usage:
    """OpenAI's usage: its prompt tokens include what was cached or written to the cache."""
    read, wrote = getattr(reported, "prompt_tokens_details", None), getattr(reported, "completion_tokens_details", None)
    return Usage(
        input_tokens=getattr(reported, "prompt_tokens", None),
        cached_tokens=getattr(read, "cached_tokens", None),
        cache_write_tokens=getattr(read, "cache_write_tokens", None),
        output_tokens=getattr(reported, "completion_tokens", None),
        reasoning_tokens=getattr(wrote, "reasoning_tokens", None),
    )


def _note(chunk: Any, end: dict[str, Any]) -> str:
    """Keep what a chunk says about the end; its text, refusals included."""
    end["id"], end["model"] = chunk.id or end.get("id"), chunk.model or end.get("model")
    if chunk.usage is not None:
        end["usage"] = usage_of(chunk.usage)
    if not chunk.choices:
        return ""
    choice = chunk.choices[0]
    if choice.finish_reason:
        end["stop_reason"] = STOP_REASONS.get(choice.finish_reason, choice.finish_reason)
    refusal = getattr(choice.delta, "refusal", None)
    if refusal:
        end["stop_reason"] = "refused"
    return (choice.delta.content or "") + (refusal or "")
