"""The Chat Completions provider: OpenAI, and every server that speaks its protocol (Ollama, vLLM, llama.cpp, gateways).

Usage is taken as the server reports it; numbers it does not report are None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lib.message_parts import BESIDE
from lib.messages import Usage, utf8_safe
from lib.providers import ChatRequest, SentBody, StreamEvent, body_bytes
from lib.providers.boundary import ReplyReader, events_of, part
from lib.providers.export import Address
from lib.providers.generation_fields import chat_fields, is_mistral
from lib.providers.http_client import CONNECT_SECONDS, READ_SECONDS, shared_client, usable_key
from lib.providers.llama.counter import counter_at
from lib.providers.sdk_errors import model_names, translated
from lib.providers.wire_format import response_items, wire_message
from lib.request_rules import RuleProvider
from lib.settings import Endpoint
from lib.tokens import TokenCounter

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI = "https://api.openai.com/v1"
PROBE_SECONDS = 5.0
"""Timeout for capability probes, which block counting."""
NO_SUCH_ADDRESS = (404, 405, 501)
"""HTTP statuses of servers that do not have an address."""
STOP_REASONS = {"stop": "end", "length": "length", "content_filter": "refused"}


class OpenAIProvider:
    """A Provider for one endpoint and one key. `extra_body` is added to every request."""

    def __init__(self, endpoint: Endpoint, key: str | None, extra_body: Mapping[str, Any] | None = None) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._key = key
        self._extra_body = dict(extra_body or {})

    @property
    def rules(self) -> RuleProvider | None:
        """OpenAI's rules for OpenAI itself; None for other servers, whose rules differ."""
        return "openai" if is_openai(self._endpoint.base_url) else None

    def prepare(self, request: ChatRequest) -> SentBody:
        """The request as the bytes that go out."""
        # OpenAI's own models refuse max_tokens, other servers do not know max_completion_tokens
        url = self._endpoint.base_url
        limit = "max_completion_tokens" if is_openai(url) else "max_tokens"
        body = {
            "model": utf8_safe(request.model),
            "messages": [wire_message(message) for message in request.messages],
            limit: request.max_output_tokens,
            "stream": True,
            # Mistral always reports usage, and refuses fields that it does not know
            **({} if is_mistral(url) else {"stream_options": {"include_usage": True}}),
            **self._extra_body,
            **chat_fields(request.generation, url),
        }
        return SentBody.of(request, body)

    def address(self) -> Address:
        """The chat completions address of this endpoint."""
        url = (self._endpoint.base_url or OPENAI).rstrip("/")
        return Address(f"{url}/chat/completions", "Authorization: Bearer ", "OPENAI_API_KEY")

    def stream(self, sent: SentBody) -> Iterator[StreamEvent]:
        """Send the bytes; yield text as it arrives, then one Reply."""
        with translated(self._endpoint.label, self._key):
            client = self._client()
            from openai import Stream
            from openai.types.chat import ChatCompletion, ChatCompletionChunk

            reader = ReplyReader(self._endpoint.label)
            usage = Usage()
            # Both SDKs document `client.post` for requests they have no method for. Given `content` instead of `body`,
            # it serialises nothing and sends these bytes as they are, on a retry or redirect too. It still adds the
            # key, parses the stream into the SDK's own types and raises the SDK's own errors.
            with client.post(
                "/chat/completions",
                cast_to=ChatCompletion,
                content=sent.data,
                options={"headers": {"Content-Type": "application/json"}},
                stream=True,
                stream_cls=Stream[ChatCompletionChunk],
            ) as chunks:
                request_id = chunks.response.headers.get("x-request-id")
                for chunk in events_of(chunks, self._endpoint.label):
                    usage = usage_in(chunk, reader) or usage
                    if thought := reader.reasoning(reasoning_in(chunk)):
                        yield thought
                    if delta := reader.text(read_chunk(chunk, reader)):
                        yield delta
                    if reader.full:
                        break
            reply = reader.reply(usage, sent.request.model, request_id)
        yield reply

    def models(self) -> list[str]:
        """The model names the server lists, sorted."""
        return sorted(model_names(self.ask("/models"), self._endpoint.label))

    def count(self, request: ChatRequest) -> int | None:
        """Tokens by the server's counting address: llama.cpp's, or that of the Responses protocol, which OpenAI has."""
        if not is_openai(self._endpoint.base_url):
            tokens = self._count_at("/chat/completions/input_tokens", self.prepare(request).body)
            if tokens is not None:
                return tokens
        items = response_items(request.messages)
        return self._count_at("/responses/input_tokens", {"model": utf8_safe(request.model), "input": items})

    def counter(self) -> TokenCounter | None:
        """The tokenizer and template of a llama.cpp server; None for OpenAI and other servers, which are asked once."""
        url = self._endpoint.base_url
        if url is None or is_openai(url):
            return None
        own_key = (self._key or None) == (self._endpoint.key or None)
        return counter_at(url, self.ask_root, self._endpoint.label, own_key=own_key)

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer of another address of this server: to a POST of `body`, or to a GET. Raises ProviderError."""
        with translated(self._endpoint.label, self._key):
            return self._json_from(path, body, READ_SECONDS)

    def ask_root(self, path: str, body: Mapping[str, Any] | None) -> Any:
        """The same for an address beside /v1; None if the server does not have it or does not answer with JSON."""
        root = (self._endpoint.base_url or OPENAI).rstrip("/").removesuffix("/v1")
        return self._json_if_there(f"{root}{path}", body)

    def _count_at(self, path: str, body: Mapping[str, Any]) -> int | None:
        answer = self._json_if_there(path, body)
        # some servers answer {"error": ...} with status 200
        tokens = answer.get("input_tokens") if isinstance(answer, Mapping) else None
        return tokens if isinstance(tokens, int) else None

    def _json_if_there(self, path: str, body: Mapping[str, Any] | None) -> Any:
        usable_key(self._endpoint, self._key)  # fails before the SDK is loaded
        with translated(self._endpoint.label, self._key):
            from openai import APIStatusError

            try:
                return self._json_from(path, body, PROBE_SECONDS if body is None else READ_SECONDS)
            except APIStatusError as exc:
                if exc.status_code not in NO_SUCH_ADDRESS or exc.code == "model_not_found":
                    raise
                return None
            except ValueError:  # not JSON, or not even UTF-8
                return None

    def _json_from(self, path: str, body: Mapping[str, Any] | None, seconds: float) -> Any:
        """The JSON answer to a POST of `body`, or to a GET without one, with a read timeout in seconds."""
        client = self._client()
        import httpx2

        options: Any = {"timeout": httpx2.Timeout(seconds, connect=CONNECT_SECONDS)}
        if body is None:
            return client.get(path, cast_to=httpx2.Response, options=options).json()
        options["headers"] = {"Content-Type": "application/json"}
        return client.post(path, cast_to=httpx2.Response, content=body_bytes(body), options=options).json()

    def _client(self) -> OpenAI:
        key = usable_key(self._endpoint, self._key)
        import openai

        url = self._endpoint.base_url or OPENAI
        # no retries by the SDK: the person decides, and a hidden one may cost twice
        return openai.OpenAI(api_key=key, base_url=url, http_client=shared_client(url), max_retries=0)


def is_openai(url: str | None) -> bool:
    """Whether this base URL is served by OpenAI's own models; None is OpenAI's default address."""
    return f".{urlsplit(url or OPENAI).hostname}".endswith((".openai.com", ".openai.azure.com"))


def usage_in(chunk: Any, reader: ReplyReader) -> Usage | None:
    """OpenAI's usage object as ours. Its prompt tokens include those read from or written to the cache."""
    reported = part(chunk, "usage")
    if reported is None:
        return None
    prompt, completion = part(reported, "prompt_tokens_details"), part(reported, "completion_tokens_details")
    return Usage(
        input_tokens=reader.count(reported, "prompt_tokens"),
        cached_tokens=reader.count(prompt, "cached_tokens"),
        cache_write_tokens=reader.count(prompt, "cache_write_tokens"),
        output_tokens=reader.count(reported, "completion_tokens"),
        reasoning_tokens=reader.count(completion, "reasoning_tokens"),
    )


def reasoning_in(chunk: Any) -> Any:
    """The reasoning in a chunk's first choice, under either of the names that servers use; None if there is none.

    OpenAI itself sends none. vLLM, DeepSeek, llama.cpp and OpenRouter do; some write the same into both fields.
    """
    choices = part(chunk, "choices")
    delta = part(choices[0], "delta") if isinstance(choices, list) and choices else None
    found = (part(delta, name) for name in BESIDE)
    return next((each for each in found if each not in (None, "")), None)


def read_chunk(chunk: Any, reader: ReplyReader) -> Any:
    """Give what a chunk says about the reply as a whole to the reader; return its text, refusals included."""
    reader.id = reader.told("id", part(chunk, "id")) or reader.id
    reader.model = reader.told("model", part(chunk, "model")) or reader.model
    choices = reader.items(part(chunk, "choices"))
    if not choices:  # a last chunk with usage only, if any
        reader.finished = reader.finished or part(chunk, "usage") is not None
        return None
    reason = reader.told("finish_reason", part(choices[0], "finish_reason"))
    if reason is not None:
        reader.finished = True
        if reader.stop_reason != "refused":
            reader.stop_reason = STOP_REASONS.get(reason, reason)
    delta = part(choices[0], "delta")  # some servers send choices without one
    refusal, content = part(delta, "refusal"), part(delta, "content")
    if refusal:
        reader.stop_reason = "refused"  # its finish_reason is "stop" all the same
    if isinstance(content, str) and isinstance(refusal, str):
        return content + refusal
    return refusal if content is None else content
